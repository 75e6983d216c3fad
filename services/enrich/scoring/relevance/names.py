"""The inputs of the model, in the order of its columns, and what each belongs to. Pure."""

PAIR = (
    "similar_work",
    "similar_work_lately",
    "similar_work_now",
    "asked_about_similar",
    "own_words",
    "own_words_apart",
    "own_words_now",
    "own_objects",
    "own_terms",
    "author_tie",
    "author_shared",
    "joins_author_share",
    "joins_author_more",
    "author_joins",
    "author_mentions",
    "mentions_author",
    "mentioned_tie",
    "crowd_tie",
    "participants_tie",
    "was_there",
    "was_there_lately",
    "was_there_once",
    "places_alike",
    "places_shared",
    "kind_of_thing",
    "around_lately",
    "around_share",
    "wanders_around",
    "helps_newcomers",
    "changed_together",
    "answered_similar",
    "answers_questions",
    "rising_near",
)
"""Between the person and the object."""
OBJECT = (
    "place_draws",
    "place_crowd",
    "place_size",
    "author_draws",
    "author_crowd",
    "author_activity",
    "author_new",
    "length",
    "question",
    "code",
    "mentions",
    "links",
    "conversation",
    "crowd_so_far",
    "known_before",
    "alike",
    "crowd_of_similar",
    "place_busy",
    "rising",
)
"""Of the object and the activity that brings it up: how large an audience it is likely to have."""
PERSON = (
    "wanders",
    "wanders_share",
    "active_month",
    "active_week",
    "places",
    "seen_lately",
    "summoned_before",
    "active_year",
)
"""Of the person."""
FOLLOWED = ("followed_person", "followed_place", "followed_tag")
"""What the person said: weights by hand, for no history tells them."""
NAMES = (*PAIR, *OBJECT, *PERSON, *FOLLOWED)
"""All columns."""
