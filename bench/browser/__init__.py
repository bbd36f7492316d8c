"""The model in a browser, as phones run it, against the same model in process."""
