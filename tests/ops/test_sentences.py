"""The sentences of a text."""

import pytest

from ops.sentences import own_documents, read_sentences, sentences
from starai.errors import BadInput


def test_a_plain_text_falls_into_its_sentences():
    assert sentences("It rains in the north. Does it rain in the south? Nobody\nknows that yet.") == [
        "It rains in the north.",
        "Does it rain in the south?",
        "Nobody knows that yet.",
    ]


def test_marks_and_code_of_markdown_are_left_out():
    text = (
        "# A title of four words\n\n- The `first` item [links](page.md) somewhere.\n\n```\nprint('not this one')\n```\n"
    )

    assert sentences(text) == ["A title of four words", "The first item links somewhere."]


def test_a_sentence_that_comes_again_and_one_of_few_words_are_left_out():
    assert sentences("This one comes twice here. Too short. This one comes twice here.") == [
        "This one comes twice here."
    ]


def test_the_projects_own_documents_have_hundreds_of_sentences():
    assert len(read_sentences(own_documents())) > 150


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path):
    file = tmp_path / "picture.png"
    file.write_bytes(b"\x89PNG\xff\xfe")

    with pytest.raises(BadInput, match=r"picture\.png cannot be read"):
        read_sentences([file])


def test_a_text_without_a_sentence_is_refused(tmp_path):
    file = tmp_path / "empty.txt"
    file.write_text("")

    with pytest.raises(BadInput, match="no sentence"):
        read_sentences([file])
