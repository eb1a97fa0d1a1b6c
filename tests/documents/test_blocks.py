"""Each code block says in what language it is: by that it is known how to try it."""

from tests.documents.blocks import blocks


def test_every_block_is_fenced_and_says_its_language() -> None:
    assert [str(block) for block in blocks() if not block.language] == []
