"""A tokenizer in the form of SmolVLM's, made here of common words: byte-level BPE, digits alone,
the same special tokens at the same ids. Sentences of camera rules take as many tokens as with the
real one: about one a word."""

import json

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

# What sentences about camera pictures are made of. Every word becomes one token.
WORDS = """
a about above across after again against alarm all alone along already also always am an and animal animals
another answer any anybody anyone anything apron are area arm arms around as asleep at away back badge bag bags
barrier bay be bed been before behind being below bench beside between bicycle bike bikes bin bins bird black
block blocked blocking blue boat boots both bottle bottom box boxes break bridge bright broken brown building bus
but button by cable cage call camera can car card care cargo carries carry carrying cars carton cat cats ceiling
chair chairs chemical child children clean climbing clock close closed cloth coat cold conveyor cone cones corner
corridor count counter crane crate crates cross crossing crowd crowded cup customer cycle damaged dark day deliver
delivered delivery describe desk did dirty do dock does dog dogs doing door doorway down driver driving drum dry
each earth eight emergency empty enter entering entrance entry equipment even ever every everybody exit fall
fallen falling family far fence fewer fight fighting fire first five fixed flag flame flat floor food foot for
forklift found four from front full gate gates girl glass gloves go goes going goods grass green grey ground group
guard hall hand hands hanging hard has hat hats have having he head heat heavy helmet helmets help her here high
his hold holding hole home horse hot house how hour human if ice ill image in inside into is it item items its
jacket just keep kept kind kitchen ladder lamp lane large last leak leaking leave leaves leaving left leg less
letter level lid lie lies lift light lights line lines liquid list litter loaded loading lock locked long look
looking lorry lot low luggage lying machine made mail make man many mask me meal men mess metal middle milk
minute minutes mirror missing more most motorcycle move moved moving much mud must name near new next night nine no
nobody none not nothing now number object objects of off office oil old on one only onto open opened opening or
orange order other out outside over package packages pallet pallets paper parcel parcels park parked parking part
pass passes past path pavement people person phone picture pile pipe place plant plastic plate platform play
playing please pool present product protective puddle pull pump push put queue quiet rack rail rain raining ramp
reach reading red rider right ring road robot roof room rope row rubbish run running safe safety same say scene
school screen seat second see seen set seven shadow shelf shelves ship shirt shoes shop short shut side sign
sitting six sky sleeping small smoke smoking snow so some somebody someone something soon space spill spilled stack
staff stairs stand standing stands start station stay steam step still stop stopped store street strip such sun
table take taken talking tank tape tell ten than that the their them then there these they thing things this
three through time to together too tool tools top touching towards tower track trailer train tray tree trees truck
trucks turn turned two under uniform unloading until up upon use used using van vans vehicle vehicles very vest
vests video visible visitor waiting walk walking wall walls warehouse warning was watch water way we wearing week
were wet what wheel when where which while white who whole why wide window windows wire with without woman women
wood word work worker workers working wrong yard year yellow yes yet you your zone
"""
ENDINGS = [".", ",", "?", "!", ":", ";", "'s", "-"]
PATTERN = "User Assistant Answer Yes No yes no How many How Is there Are there"


def _train(special, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    words = sorted(set(WORDS.split()))
    forms = words + [word.capitalize() for word in words] + PATTERN.split()
    text = [f"{form} {form}" for form in forms] + [f" {end}" for end in ENDINGS]
    tokenizer.train_from_iterator(text * 2, trainer)
    return json.loads(tokenizer.to_str())


def make(ids, size):
    """The text of a `tokenizer.json` of `size` tokens, with the special tokens of `ids` in their
    places; places between them that nothing claims are reserved tokens."""
    taken = {place: token for token, place in ids.items()}
    first_added = min((place for place in taken if place > len(taken)), default=size)
    head = [taken[place] for place in range(size) if place in taken and place < first_added]
    data = _train(head, first_added)
    vocabulary = dict(sorted(data["model"]["vocab"].items(), key=lambda item: item[1]))
    assert [vocabulary[token] for token in head] == list(range(len(head)))
    # What training left over: tokens that no text makes, but a random model may say.
    for place in range(len(vocabulary), first_added):
        vocabulary[f"Ġ~{place}"] = place
    data["model"]["vocab"] = vocabulary
    added = dict(taken)
    reserved = 0
    for place in range(first_added, size):
        if place not in added:
            added[place], reserved = f"<|reserved_special_token_{reserved}|>", reserved + 1
    data["added_tokens"] = [
        {"id": place, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for place, token in sorted(added.items())
    ]
    data["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    return json.dumps(data, ensure_ascii=False)


def special_tokens(shape_vocabulary, real_ids):
    """Special tokens and their ids: the real ones where the vocabulary is the real one's size, else
    the same tokens at the end of a small one."""
    marks = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    if shape_vocabulary > max(real_ids.values()):
        first = real_ids["<global-img>"] + 1
        return {**real_ids, **{mark: first + i for i, mark in enumerate(marks)}}
    low = {token: place for token, place in real_ids.items() if place < 3}
    late = ["<global-img>", *marks, "<fake_token_around_image>", "<image>", "<end_of_utterance>"]
    return {**low, **{token: shape_vocabulary - len(late) + i for i, token in enumerate(late)}}


def ids_of(tokenizer_json):
    """Ids of the added tokens of a `tokenizer.json`, and the size of its vocabulary."""
    tokenizer = Tokenizer.from_str(tokenizer_json)
    added = {token.content: place for place, token in tokenizer.get_added_tokens_decoder().items()}
    return added, tokenizer.get_vocab_size(True)
