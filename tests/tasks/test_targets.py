from broker_config.regions import Region
from models.entry import Kind
from tasks.targets import Targets


def test_a_models_wire_name_means_that_model():
    assert Targets().model_of("phi3-3-8b") == "phi3-3-8b"
    assert Targets().queue_of("asia", "phi3-3-8b") == "inference.asia.medium.phi3-3-8b"


def test_a_tier_means_its_default_model():
    assert Targets().model_of("tiny") == "all-minilm-l6-v2"
    assert Targets().queue_of(Region.EUROPE, "tiny") == "inference.europe.tiny.all-minilm-l6-v2"


def test_of_each_model_it_is_known_what_it_does_by_its_name_on_the_wire():
    kinds = Targets().kinds

    assert (kinds["all-minilm-l6-v2"], kinds["phi3-3-8b"]) == (Kind.EMBED, Kind.GENERATE)
    assert "tiny" not in kinds


def test_what_the_catalogue_does_not_know_means_itself_and_waits_nowhere():
    assert Targets().model_of("gpt-9") == "gpt-9"
    assert Targets().queue_of("asia", "gpt-9") is None
    assert Targets().queue_of("atlantis", "tiny") is None
    assert Targets().queue_of(None, None) is None
