"""What is fetched is unpacked where it belongs, or not at all."""

import io
import tarfile

import pytest

from tdafeat.datasets.location import download
from tdafeat.errors import DataUnavailable


@pytest.mark.parametrize(
    ("name", "link"), [("../evil.txt", ""), ("evil.txt", "/etc/hostname"), ("evil.txt", "../x")]
)
def test_an_archive_leads_nowhere_else(tmp_path, name, link):
    from tdafeat.compat import import_torchvision

    import_torchvision()
    from torchvision.datasets.utils import extract_archive

    archive, inside = tmp_path / "images.tar.gz", tmp_path / "inside"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        if link:
            member.type, member.linkname = tarfile.SYMTYPE, link
        else:
            member.size = 5
        tar.addfile(member, io.BytesIO(b"evil!"))
    inside.mkdir()
    before = tarfile.TarFile.extraction_filter
    with pytest.raises(DataUnavailable, match="images is not in .* put them there"):
        download(lambda: extract_archive(str(archive), str(inside)), "images", inside, "them")
    assert list(tmp_path.rglob("evil.txt")) == []
    assert tarfile.TarFile.extraction_filter is before
