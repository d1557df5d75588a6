"""The word-level tokenizer and the SmolVLM-style prompt, for training and for export."""

import re

from questions import vocabulary

SPECIAL = ["<unk>", "<|im_start|>", "<end_of_utterance>", "<image>", "<fake_token_around_image>",
           "<global-img>", "<pad>"]
IMAGE_TOKENS = 64
"""Image tokens a tile: an 8 x 8 grid."""

_WORD = re.compile(r"\w+|[^\w\s]+")


class Words:
    """Maps words to ids the way the exported ``tokenizer.json`` does (checked at export)."""

    def __init__(self):
        self.words = SPECIAL + vocabulary()
        self.id = {w: i for i, w in enumerate(self.words)}
        self.unk = self.id["<unk>"]

    def __len__(self):
        return len(self.words)

    def encode(self, text):
        """Ids of plain text without special tokens."""
        return [self.id.get(w, self.unk) for w in _WORD.findall(text.lower())]

    def prefix(self):
        """The shared start of every prompt: the user's turn and the image."""
        i = self.id
        fake = i["<fake_token_around_image>"]
        return ([i["<|im_start|>"]] + self.encode("User:") + [fake, i["<global-img>"]]
                + [i["<image>"]] * IMAGE_TOKENS + [fake])

    def suffix(self, question):
        """The question and the start of the assistant's turn."""
        return self.encode(question) + [self.id["<end_of_utterance>"]] + self.encode("Assistant:")

    def prompt_text(self, question):
        """The same prompt as text, for the exported tokenizer."""
        return ("<|im_start|>User:<fake_token_around_image><global-img>" + "<image>" * IMAGE_TOKENS
                + f"<fake_token_around_image>{question}<end_of_utterance>\nAssistant:")


def tokenizer_json(words):
    """A Hugging Face ``tokenizers`` object equal to ``words``."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel(dict(words.id), unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    return tokenizer
