"""The words of scout: object classes, attribute channels and what each set is trusted to say.

The detector's dense maps have one channel per entry of ``CHANNELS``: first the object classes
(``OBJECTS``, exported as detections), then attribute channels (``ATTRIBUTES``) that only feed the
language decoder, such as "a person who wears no hard hat".
"""

OBJECTS = [
    "person", "car", "truck", "bus", "motorcycle", "bicycle", "forklift", "dog", "fire", "smoke",
    "parcel", "suitcase", "backpack", "handbag", "pallet",
]
ATTRIBUTES = [
    "hard_hat", "no_hard_hat", "safety_vest", "no_safety_vest", "lying", "in_queue", "unattended",
]  # the last two stay last: see net.peaks_of_all
CHANNELS = OBJECTS + ATTRIBUTES
PLACED = {"in_queue": ("person",), "unattended": ("suitcase", "backpack", "handbag")}
"""Channels read at the centres of the objects that may have them, of which the labels are on those objects."""
INDEX = {name: i for i, name in enumerate(CHANNELS)}
BAGS = ("suitcase", "backpack", "handbag")

# What a whole set cannot show, judged from what the set is (road cameras show no indoor parcels, a
# clinic no forklift). Weaker than a label: it is used to train and reported apart in the evaluation.
_ROAD = ("highway", "traffic_cctv")
_PEOPLE = ("clinic_cctv", "elevated_people", "fall_home", "thermal_dogs", "rail_platform")
SET_ABSENT = {
    "forklift": _ROAD + _PEOPLE + ("ppe_campus", "indoor_empty", "fire_smoke", "vehicles_openimages"),
    "fire": _ROAD + _PEOPLE + ("ppe_campus", "forklift", "pallets_phone", "parcels_phone"),
    "smoke": ("clinic_cctv", "fall_home", "thermal_dogs", "ppe_campus", "forklift", "pallets_phone",
              "rail_platform", "elevated_people", "traffic_cctv"),
    "parcel": _ROAD + ("elevated_people", "thermal_dogs", "ppe_campus", "fire_smoke"),
    "pallet": _ROAD + _PEOPLE + ("indoor_empty", "fire_smoke"),
    "suitcase": ("traffic_cctv", "fire_smoke"),
}
for _name in ("car", "truck", "bus", "motorcycle", "bicycle", "forklift", "dog", "fire", "smoke"):
    SET_ABSENT[_name] = (*SET_ABSENT.get(_name, ()), "rendered")

# Singular with article, plural, and the words a question may use for each class.
NOUNS = {
    "person": [("a person", "people"), ("a person", "people"), ("a person", "persons"),
               ("a worker", "workers"), ("a human", "humans")],
    "car": [("a car", "cars")],
    "truck": [("a truck", "trucks"), ("a truck", "trucks"), ("a lorry", "lorries")],
    "bus": [("a bus", "buses")],
    "motorcycle": [("a motorcycle", "motorcycles"), ("a motorbike", "motorbikes")],
    "bicycle": [("a bicycle", "bicycles"), ("a bike", "bikes")],
    "forklift": [("a forklift", "forklifts")],
    "dog": [("a dog", "dogs")],
    "fire": [("a fire", "fires"), ("fire", "fires"), ("a flame", "flames")],
    "smoke": [("smoke", "smoke"), ("a smoke", "smoke")],
    "parcel": [("a parcel", "parcels"), ("a package", "packages"), ("a box", "boxes")],
    "suitcase": [("a suitcase", "suitcases")],
    "backpack": [("a backpack", "backpacks")],
    "handbag": [("a handbag", "handbags")],
    "bag": [("a bag", "bags"), ("a bag", "bags"), ("a piece of luggage", "pieces of luggage")],
    "pallet": [("a pallet", "pallets")],
    "vehicle": [("a vehicle", "vehicles")],
}
# Questions about a group are answered from its members.
GROUPS = {"bag": BAGS, "vehicle": ("car", "truck", "bus", "motorcycle")}
COUNTABLE = ["person", "car", "truck", "bus", "motorcycle", "bicycle", "forklift", "dog", "parcel",
             "suitcase", "backpack", "handbag", "bag", "pallet"]

MAX_COUNT = 20
"""Largest count the decoder can answer, in objects."""
