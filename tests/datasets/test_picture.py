import numpy as np
import pytest
from PIL import Image

from tdafeat.datasets import picture
from tdafeat.datasets.picture import read_picture
from tdafeat.errors import UnreadableData

RED = np.broadcast_to(np.uint8([255, 0, 0]), (2, 3, 3))


def test_colour_grey_and_black_and_white(tmp_path):
    Image.fromarray(RED.copy()).save(tmp_path / "c.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "c.png"), RED)
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    Image.fromarray(grey).save(tmp_path / "g.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "g.png"), grey)
    Image.fromarray(grey > 2).save(tmp_path / "b.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "b.png"), (grey > 2) * np.uint8(255))


def test_sixteen_bits_are_scaled_not_cut(tmp_path):
    deep = np.array([[0, 257 * 7, 65535]], dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "d.png")
    assert read_picture(tmp_path / "d.png").tolist() == [[0, 7, 255]]


def test_palette_and_transparency_on_white(tmp_path):
    Image.fromarray(RED.copy()).convert("P").save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "p.png"), RED)
    clear = np.zeros((2, 3, 4), np.uint8)
    clear[:, 0] = (255, 0, 0, 255)
    Image.fromarray(clear).save(tmp_path / "t.png")
    assert read_picture(tmp_path / "t.png")[0].tolist() == [[255, 0, 0], [255] * 3, [255] * 3]
    Image.fromarray(RED.copy()).convert("CMYK").save(tmp_path / "k.tif")
    np.testing.assert_array_equal(read_picture(tmp_path / "k.tif"), RED)


def test_exif_turns_the_picture_upright(tmp_path):
    image = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    image.save(tmp_path / "e.png", exif=exif)
    assert read_picture(tmp_path / "e.png").tolist() == [[3, 0], [4, 1], [5, 2]]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".bmp", ".webp"])
def test_a_cut_off_file_is_named(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    whole = tmp_path / f"whole{suffix}"
    Image.fromarray(noise).save(whole)
    for share in (0.0, 0.01, 0.6):
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
        with pytest.raises(UnreadableData, match="cut"):
            read_picture(cut)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadableData, match=r"gone\.png"):
        read_picture(tmp_path / "gone.png")


def test_a_picture_too_large_is_not_unfolded(tmp_path, monkeypatch):
    Image.new("1", (400, 300)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(picture, "MAX_PIXELS", 100_000)
    with pytest.raises(UnreadableData, match="bomb.png has 400 x 300 pixels"):
        read_picture(tmp_path / "bomb.png")


def test_floating_point_pixels_are_refused(tmp_path):
    Image.fromarray(np.zeros((2, 2), np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(UnreadableData, match="no fixed range"):
        read_picture(tmp_path / "f.tif")
