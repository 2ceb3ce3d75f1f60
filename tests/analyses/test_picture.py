from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tdafeat.analyses.picture import picture, signed_picture


def decoded(png):
    return np.asarray(Image.open(BytesIO(png))).astype(int)


@pytest.mark.parametrize("shape", [(1, 3, 5), (3, 4, 2)])
def test_bytes_survive_the_way_to_a_picture_and_back(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape)
    found = decoded(picture(pixels.ravel() / 255, shape))
    np.testing.assert_array_equal(found.reshape(*shape[1:], shape[0]), pixels.transpose(1, 2, 0))


def test_what_lies_outside_is_cut_off():
    found = decoded(picture(np.array([-0.2, 0.0, 1.0, 7.0]), (1, 2, 2)))
    assert found.tolist() == [[0, 0], [255, 255]]


def test_positive_is_red_negative_is_blue_zero_is_neither():
    red, blue, zero = decoded(signed_picture(np.array([2.0, -2.0, 0.0]), (1, 1, 3)))[0]
    assert red[0] > red[2] + 100
    assert blue[2] > blue[0] + 100
    assert np.ptp(zero) == 0


def test_the_scale_of_a_direction_does_not_show_but_its_sign_does():
    direction = np.random.default_rng(1).normal(size=12)
    assert signed_picture(direction, (1, 3, 4)) == signed_picture(1e-9 * direction, (1, 3, 4))
    assert signed_picture(direction, (1, 3, 4)) != signed_picture(-direction, (1, 3, 4))


def test_a_direction_in_colour_is_grey_where_it_is_zero():
    found = decoded(signed_picture(np.array([1.0, 0, 0, 0, 0, -1.0]), (3, 1, 2)))
    assert found.tolist() == [[[255, 128, 128], [128, 128, 0]]]


def test_no_direction_at_all_is_one_colour():
    assert np.ptp(decoded(signed_picture(np.zeros(4), (1, 2, 2)))) == 0
