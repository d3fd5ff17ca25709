"""Weight files: what is written comes back, and no damaged byte is ever accepted."""

from __future__ import annotations

import json
import os
import pickle
import struct

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save as plain_save

from nndsl.diagnostics import NndslError
from nndsl.runtime import weights

TENSORS = {
    "dense[2].weight": np.arange(6, dtype=np.float32).reshape(3, 2),
    "dense[2].bias": np.array([0.5, -1.0, np.nan], dtype=np.float32),
    "step": np.array(7, dtype=np.int64),
    "empty": np.zeros((0, 3), dtype=np.float64),
}
METADATA = {"kind": "weights", "epoch": 3, "names": ["ä", 'b"c\\']}


def content() -> bytes:
    return b"".join(bytes(piece) for piece in weights.encode(TENSORS, METADATA))


def refused(data: bytes) -> str:
    with pytest.raises(NndslError) as caught:
        weights.decode(data, "w.safetensors")
    return caught.value.diagnostics[0].code


def test_what_is_saved_comes_back(tmp_path):
    path = tmp_path / "w.safetensors"
    weights.save(path, TENSORS, METADATA)
    tensors, metadata = weights.load(path)
    assert metadata == METADATA
    assert set(tensors) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert tensors[name].shape == tensor.shape
        np.testing.assert_array_equal(tensors[name], tensor)
    assert os.listdir(tmp_path) == ["w.safetensors"]


def test_arrays_in_other_memory_orders_are_saved_as_seen(tmp_path):
    path = tmp_path / "w.safetensors"
    array = np.arange(12.0).reshape(3, 4).T
    weights.save(path, {"w": array, "v": array[::2]}, {})
    tensors, _ = weights.load(path)
    np.testing.assert_array_equal(tensors["w"], array)
    np.testing.assert_array_equal(tensors["v"], array[::2])


def test_equal_content_gives_equal_bytes():
    assert content() == content()


def test_other_programs_can_read_the_tensors(tmp_path):
    path = tmp_path / "w.safetensors"
    weights.save(path, TENSORS, METADATA)
    with safe_open(path, "numpy") as file:
        np.testing.assert_array_equal(file.get_tensor("step"), 7)


def test_every_flipped_bit_is_refused():
    good = content()
    for position in range(len(good)):
        for bit in range(8):
            bad = bytearray(good)
            bad[position] ^= 1 << bit
            refused(bytes(bad))


def test_every_truncation_is_refused():
    good = content()
    for length in range(len(good)):
        assert refused(good[:length]) in {"NN501", "NN503", "NN504"}


def test_added_bytes_are_refused():
    assert refused(content() + b"\0") == "NN504"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "NN503"),
        (b"just text, quite long " * 20, "NN501"),
        (pickle.dumps({"a": list(range(100))}), "NN501"),
        (b"PK\x03\x04" + bytes(200), "NN501"),
        (b"\x93NUMPY" + bytes(200), "NN501"),
        (plain_save({"a": np.zeros(3)}, metadata={"format": "pt"}), "NN501"),
        (plain_save({"a": np.zeros(3)}), "NN501"),
    ],
)
def test_other_files_are_refused(data, code):
    assert refused(data) == code


def with_header(header: str, data: bytes = b"") -> bytes:
    """A file with a right checksum around any header: damage that a checksum cannot find."""
    import hashlib

    raw = header.encode()
    blank = struct.pack("<Q", len(raw)) + raw + data
    start = blank.index(b"0" * 64)
    return blank[:start] + hashlib.sha256(blank).hexdigest().encode() + blank[start + 64 :]


def header(tensors: str, inner: dict | str | None = None) -> str:
    inner = {"checksum": "0" * 64, "format": 1, "values": {}} if inner is None else inner
    text = inner if isinstance(inner, str) else json.dumps(inner, separators=(",", ":"))
    return '{"__metadata__":{"nndsl":' + json.dumps(text) + "}" + tensors + "}"


def test_the_hand_made_header_is_right():
    entry = ',"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    tensors, _ = weights.decode(with_header(header(entry), bytes(8)), "w")
    assert tensors["a"].shape == (2,)


ZERO = "0" * 64


@pytest.mark.parametrize(
    "tensors",
    [
        ',"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}',  # past the end
        ',"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}',  # shape against bytes
        ',"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}',  # a hole
        ',"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
        '"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}',  # overlap
        ',"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}',  # overflow
        ',"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}',
        ',"a":{"dtype":"OBJECT","shape":[2],"data_offsets":[0,8]}',
        ',"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}',
        ',"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
        '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}',  # given twice
        ',"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"url":"http://x"}',
        ',"a":' + "[" * 5000 + "]" * 5000,
        ',"a":NaN',
        ',"a":3',
    ],
)
def test_wrong_headers_with_a_right_checksum_are_refused(tensors):
    assert refused(with_header(header(tensors), bytes(8))) == "NN502"


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ({"checksum": ZERO, "format": 2, "values": {}}, "NN505"),
        ({"checksum": ZERO, "format": 1, "values": {}, "module": "os"}, "NN502"),
        ({"checksum": ZERO, "format": 1, "values": []}, "NN502"),
        ({"checksum": ZERO, "format": 1}, "NN502"),
        (f'{{"checksum":"{ZERO}","format":1,"values":{{"a":1,"a":2}}}}', "NN502"),
        (f'{{"checksum":"{ZERO}","format":1,"values":{{"a":Infinity}}}}', "NN502"),
    ],
)
def test_wrong_metadata_is_refused(inner, code):
    assert refused(with_header(header("", inner))) == code


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, (16 << 20) + 1, 10**6])
def test_absurd_header_lengths_allocate_nothing(length):
    good = content()
    assert refused(struct.pack("<Q", length) + good[8:]) in {"NN502", "NN503"}


def test_links_pipes_folders_and_absent_files_are_refused(tmp_path):
    real = tmp_path / "w.safetensors"
    weights.save(real, TENSORS, METADATA)
    (tmp_path / "link").symlink_to(real)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    codes = {}
    for name in ("link", "pipe", "folder", "absent"):
        with pytest.raises(NndslError) as caught:
            weights.load(tmp_path / name)
        codes[name] = caught.value.diagnostics[0].code
    assert codes == {"link": "NN507", "pipe": "NN507", "folder": "NN507", "absent": "NN506"}


def test_objects_are_never_saved(tmp_path):
    with pytest.raises(ValueError, match="object"):
        weights.save(tmp_path / "w", {"a": np.array([{}])}, {})
    with pytest.raises(ValueError, match="JSON"):
        weights.save(tmp_path / "w", {}, {"a": float("nan")})
    assert not (tmp_path / "w").exists()


def test_bytes_are_those_of_the_library():
    tensors = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": np.arange(3, dtype=np.int32),
        'ü "quoted"': np.arange(4, dtype=np.float64).reshape(2, 2).T,
        "z": np.arange(2, dtype=np.int64),
        "c": np.array(2.5, np.float32),
        "none": np.empty((0, 3), np.float64),
    }
    found = b"".join(bytes(piece) for piece in weights.encode(tensors, METADATA))
    start = found.index(b"checksum") + len(b'checksum\\":\\"')
    text = json.loads(found[8 : 8 + int.from_bytes(found[:8], "little")])["__metadata__"]["nndsl"]
    ordered = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    ordered["c"] = tensors["c"]
    assert found == plain_save(ordered, metadata={"nndsl": text})
    assert found[start : start + 64].isalnum()
