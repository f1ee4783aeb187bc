import re

import pytest

from rfav_cli.options import values


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (values.per_channel, "0.5", (0.5,)),
        (values.per_channel, "0.49,0.48,0.45", (0.49, 0.48, 0.45)),
        (values.per_channel, "[0.485, 0.456, 0.406]", (0.485, 0.456, 0.406)),
        (values.per_channel, "(0.5; 0.25)", (0.5, 0.25)),
        (values.per_channel, " 0.5\t0.25 ", (0.5, 0.25)),
        (values.per_channel, "CIFAR10", "cifar10"),
        (values.image_size, "[224, 192]", (224, 192)),
        (values.share, "12.5%", 0.125),
        (values.per_layer, "conv*=85%", ("conv*", 0.85)),
        (values.image_size, "32", 32),
        (values.image_size, "32x48", (32, 48)),
        (values.image_size, "32X48", (32, 48)),
        (values.image_size, "32,48", (32, 48)),
        (values.count_or_all, "all", "all"),
        (values.count_or_all, "0", 0),
        (values.count_or_auto, "auto", "auto"),
        (values.count_or_auto, "64", 64),
        (values.number_to_keep, "all", "all"),
        (values.number_to_keep, "3", 3),
        (values.words, "flip, crop,", ("flip", "crop")),
        (values.words, "", ()),
    ],
)
def test_what_is_read(parse, text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (values.number_to_keep, "0"),
        (values.number_to_keep, "some"),
        (values.per_channel, "red"),
        (values.per_channel, "0.5,"),
        (values.per_channel, "nan"),
        (values.per_channel, "0.1,inf"),
        (values.per_channel, "imagenet,0.5"),
        (values.per_channel, "()"),
        (values.share, "101%"),
        (values.share, "%"),
        (values.image_size, "0"),
        (values.image_size, "32x"),
        (values.image_size, "32x32x3"),
        (values.image_size, "-1"),
        (values.count_or_all, "-1"),
        (values.count_or_all, "some"),
        (values.count_or_auto, "0"),
        (values.count_or_auto, "2.5"),
    ],
)
def test_what_is_refused(parse, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        parse(text)
