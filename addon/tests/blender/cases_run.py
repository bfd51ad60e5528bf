# SPDX-License-Identifier: GPL-3.0-or-later
"""A run from the press of the button to the keys, what may come between, and the add-on itself."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import bpy
import numpy as np
from scenes import (
    FACE_PARTS,
    VISEMES,
    addon_name,
    begin,
    codes,
    generate,
    import_head,
    keys_of,
    module,
    pump,
    refused,
    report,
    session,
    until_phase,
    world,
)


def test_server_starts_and_says_what_it_is() -> None:
    assert bpy.ops.blendwire.start_server("EXEC_DEFAULT") == {"FINISHED"}
    info = session().care.info
    assert info.version and info.model_version and "CPU" in info.device, info


def test_all_sets_on_the_demo_head() -> None:
    head = import_head()
    begin_time = time.monotonic()
    generate(sets={"visemes", "emotions", "arkit", "vrm", "unified", "mmd"})
    seconds = time.monotonic() - begin_time
    keys = keys_of(head)
    base = keys.pop("Basis")
    assert set(VISEMES) <= set(keys)
    assert len(keys) >= 15 + 6 + 52 + 40, len(keys)
    for name, positions in keys.items():
        largest = np.abs(positions - base).max()
        assert 2e-5 < largest < 0.09, (name, largest)
    for i, one in enumerate(VISEMES):
        for other in VISEMES[:i]:
            assert np.abs(keys[one] - keys[other]).max() > 1e-5, (one, other)
    lips = keys["jawOpen"] - base
    assert lips[:, 2].min() < -0.005, "the jaw does not open"
    tongue = bpy.data.objects["Tongue"]
    moved = {n: world(tongue, p) for n, p in keys_of(tongue).items()}
    down = (moved["jawOpen"] - moved["Basis"])[:, 2].mean()
    assert down < -0.005, f"the tongue does not move with the jaw: {down}"
    assert all(k.value == 0 for k in head.data.shape_keys.key_blocks[1:])
    outcome = session().outcome
    assert outcome.face_score > 0.6
    report(
        "demo_head",
        keys=len(keys),
        seconds=round(seconds, 2),
        face_score=round(outcome.face_score, 3),
        longest_tick_ms=round(outcome.longest_tick * 1000, 1),
        longest_write_tick_ms=round(outcome.longest_write_tick * 1000, 1),
    )


def test_undo_and_redo_are_one_step() -> None:
    avatar = import_head().parent
    avatar.location.x = 0.25
    bpy.ops.ed.undo_push(message="Moved")
    generate(sets={"visemes"})
    assert len(keys_of(bpy.data.objects["Head"])) == 16
    assert session().outcome.written == 15
    bpy.ops.ed.undo()
    assert session().outcome is None, "the panel still speaks of keys that are gone"
    head = bpy.data.objects["Head"]
    assert keys_of(head) == {}
    assert all(keys_of(bpy.data.objects[n]) == {} for n in FACE_PARTS)
    assert abs(head.parent.location.x - 0.25) < 1e-6, "the user's own change is gone, too"
    bpy.ops.ed.redo()
    assert len(keys_of(bpy.data.objects["Head"])) == 16
    assert abs(bpy.data.objects["Head"].parent.location.x - 0.25) < 1e-6


def test_cancel_writes_nothing_and_frees_the_server() -> None:
    head = import_head()
    for phase in ("predicting", "writing"):
        begin(sets={"visemes", "arkit"})
        until_phase(phase)
        if phase == "writing":
            for _ in range(4):
                session().run.tick(0)
        assert bpy.ops.blendwire.cancel() == {"FINISHED"}
        assert keys_of(head) == {}, phase
        assert codes()[0] == "cancelled"
        assert not session().busy
    generate(sets={"visemes"})
    assert len(keys_of(head)) == 16


def test_deleted_object() -> None:
    import_head(with_parts=False)
    run = begin(sets={"visemes"})
    until_phase("predicting")
    bpy.data.objects.remove(bpy.data.objects["Head"])
    pump(lambda: run.finished)
    assert codes()[0] == "object_gone", codes()


def test_renamed_object() -> None:
    head = import_head(with_parts=False)
    run = begin(sets={"visemes"})
    until_phase("predicting")
    head.name = "Somebody"
    pump(lambda: run.finished)
    assert codes()[0] == "object_gone"
    assert keys_of(head) == {}


def test_edited_object() -> None:
    head = import_head(with_parts=False)
    run = begin(sets={"visemes"})
    until_phase("predicting")
    head.data.vertices[7].co.x += 0.01
    pump(lambda: run.finished)
    assert codes()[0] == "object_changed"
    assert keys_of(head) == {}


def test_undo_during_the_run() -> None:
    head = import_head(with_parts=False)
    bpy.ops.ed.undo_push(message="Before")
    head.data.vertices[7].co.x += 0.01
    head.data.update()
    bpy.ops.ed.undo_push(message="Edited")
    run = begin(sets={"visemes"})
    until_phase("predicting")
    bpy.ops.ed.undo()
    pump(lambda: run.finished)
    assert codes()[0] == "object_changed", codes()
    assert keys_of(bpy.data.objects["Head"]) == {}


def test_edit_mode_during_the_run_is_waited_for() -> None:
    head = import_head(with_parts=False)
    run = begin(sets={"visemes"})
    until_phase("predicting")
    bpy.ops.object.mode_set(mode="EDIT")
    pump(lambda: run.finished or run.phase.value == "holding")
    assert run.phase.value == "holding"
    bpy.ops.object.mode_set(mode="OBJECT")
    pump(lambda: run.finished)
    assert len(keys_of(head)) == 16, session().messages


def test_file_load_during_the_run() -> None:
    import_head()
    path = os.path.join(bpy.app.tempdir, "other.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    run = begin(sets={"visemes", "arkit"})
    until_phase("predicting")
    bpy.ops.wm.open_mainfile(filepath=path)
    assert run.finished
    assert codes()[0] == "cancelled_file"
    for _ in range(20):
        session().tick()
    assert keys_of(bpy.data.objects["Head"]) == {}
    generate(sets={"visemes"})
    assert len(keys_of(bpy.data.objects["Head"])) == 16


def test_server_killed_during_the_run() -> None:
    head = import_head()
    run = begin(sets={"visemes", "arkit"})
    until_phase("predicting")
    os.kill(session().care.pid, signal.SIGKILL)
    pump(lambda: run.finished)
    assert codes()[0] in ("crashed", "unreachable"), codes()
    pump(lambda: session().care.state.value == "crashed", 10)
    assert keys_of(head) == {}
    assert bpy.ops.blendwire.restart_server() == {"FINISHED"}
    pump(lambda: session().care.state.value == "running", 60)
    generate(sets={"visemes"})
    assert len(keys_of(head)) == 16


def _start_server_of_another(port: int) -> subprocess.Popen[bytes]:
    native = module("host.native")
    program = native.bundled_server(native.package())
    foreign = ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "PYTHONHOME")
    environment = {k: v for k, v in os.environ.items() if k not in foreign}
    return subprocess.Popen([program, "--port", str(port)], env=environment)


def test_server_at_an_address() -> None:
    head = import_head(with_parts=False)
    session().care.drop()
    preferences = module("ui.preferences").preferences()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    preferences.address = f"127.0.0.1:{port}"
    server = None
    try:
        assert f"No server answers at 127.0.0.1:{port}" in refused(sets={"visemes"})
        server = _start_server_of_another(port)
        session().care.drop()
        generate(sets={"visemes"})
        assert len(keys_of(head)) == 16
        assert session().care.pid == 0, "a server of its own was started, too"
        server.terminate()
        server.wait(20)
        pump(lambda: session().care.state.value == "crashed", 30)
        assert session().care.message.code == "unreachable", session().care.message
    finally:
        preferences.address = ""
        session().care.drop()
        if server is not None and server.poll() is None:
            server.kill()


def test_hand_made_keys_are_kept() -> None:
    head = import_head()
    head.shape_key_add(name="Basis")
    mine = head.shape_key_add(name="vrc.v_aa", from_mix=False)
    mine.data[5].co.z += 0.123
    mine.value = 0.7  # the base is the Basis, not what is mixed in
    other = head.shape_key_add(name="MyOwn", from_mix=False)
    other.data[9].co.x += 0.2
    before = keys_of(head)
    generate(sets={"visemes"})
    after = keys_of(head)
    for name in ("Basis", "vrc.v_aa", "MyOwn"):
        assert (after[name] == before[name]).all(), name
    assert "some_kept" in codes()
    assert abs((after["vrc.v_oh"] - after["Basis"])[5, 2]) < 0.1
    bpy.context.scene.blendwire.overwrite = True
    generate(sets={"visemes"})
    assert (keys_of(head)["vrc.v_aa"] != before["vrc.v_aa"]).any()
    assert (keys_of(head)["MyOwn"] == before["MyOwn"]).all()


def test_remove_generated_leaves_the_users_keys() -> None:
    head = import_head()
    head.shape_key_add(name="Basis")
    head.shape_key_add(name="MyOwn", from_mix=False).data[9].co.x += 0.2
    generate(sets={"visemes"})
    head.data.shape_keys.key_blocks["vrc.v_oh"].data[3].co.z += 0.05  # the user's touch
    bpy.ops.blendwire.remove_generated(key="vrc.v_e")
    assert "vrc.v_e" not in keys_of(head)
    bpy.ops.blendwire.remove_generated()
    assert list(keys_of(head)) == ["Basis", "MyOwn", "vrc.v_oh"]
    bpy.ops.blendwire.remove_generated(include_edited=True)
    assert list(keys_of(head)) == ["Basis", "MyOwn"]


def test_regenerate_makes_only_this_key() -> None:
    head = import_head()
    generate(sets={"visemes"})
    before = keys_of(head)
    bpy.context.scene.blendwire.strength_visemes = 0.5
    assert bpy.ops.blendwire.regenerate("EXEC_DEFAULT", key="vrc.v_aa") == {"FINISHED"}
    after = keys_of(head)
    ratio = (
        np.abs(after["vrc.v_aa"] - after["Basis"]).max()
        / np.abs(before["vrc.v_aa"] - before["Basis"]).max()
    )
    assert abs(ratio - 0.5) < 0.02, ratio
    assert all((after[n] == before[n]).all() for n in before if n != "vrc.v_aa")


def test_settings_survive_a_saved_file_and_records_too() -> None:
    head = import_head()
    generate(sets={"visemes"})
    path = os.path.join(bpy.app.tempdir, "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    head = bpy.data.objects["Head"]
    records = module("host.meshes").records_of(head.data)
    assert set(records) == set(VISEMES)
    bpy.ops.blendwire.remove_generated()
    assert list(keys_of(head)) == ["Basis"]


def test_preview_puts_the_values_back() -> None:
    head = import_head(with_parts=False)
    generate(sets={"visemes"})
    blocks = head.data.shape_keys.key_blocks
    blocks["vrc.v_aa"].value = 0.25
    assert bpy.ops.blendwire.preview() == {"FINISHED"}
    pump(lambda: session().preview.current == "vrc.v_pp" and blocks["vrc.v_pp"].value > 0.5, 30)
    assert bpy.ops.blendwire.preview() == {"FINISHED"}
    assert abs(blocks["vrc.v_aa"].value - 0.25) < 1e-6
    assert blocks["vrc.v_pp"].value == 0


def test_native_files_need_nothing_that_is_not_in_the_zip() -> None:
    if shutil.which("ldd") is None:
        print("no ldd here: not checked")
        return
    folder = pathlib.Path(module("host.native").package().__file__).parent / "_native"
    system = re.compile(r"(ld-linux|lib(c|m|dl|rt|pthread|resolv|gcc_s|stdc\+\+))[.-]")
    checked = 0
    for file in [*folder.glob("*.so*"), folder / "blendwire-server"]:
        listed = subprocess.run(["ldd", file], capture_output=True, text=True, check=True).stdout
        for name, path in re.findall(r"(\S+) => (\S+)", listed):
            checked += 1
            inside = pathlib.Path(path).parent == folder
            assert inside or system.match(name), f"{file.name} takes {name} from {path}"
    assert checked > 10, checked


def test_languages_are_registered() -> None:
    translations = module("ui.translations").dictionaries()
    for locale in ("ja_JP", "ko_KR", "zh_HANS"):
        assert translations[locale]["*", "Generate"] != "Generate"


def test_native_files_are_unpacked_when_the_add_on_is_switched_on() -> None:
    if bpy.app.version >= (4, 2):
        return  # Blender does it
    session().care.drop()
    native = module("host.native")
    folder = native.unpack()
    shutil.rmtree(folder)
    bpy.ops.preferences.addon_disable(module=addon_name())
    bpy.ops.preferences.addon_enable(module=addon_name())
    assert (folder / "blendwire" / "_native").is_dir()
    assert bpy.ops.blendwire.start_server("EXEC_DEFAULT") == {"FINISHED"}


def test_add_on_can_be_switched_off_and_on() -> None:
    pid = session().care.pid
    assert pid
    bpy.ops.preferences.addon_disable(module=addon_name())
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}"), "the server is left behind"
    assert not hasattr(bpy.types.Scene, "blendwire")
    bpy.ops.preferences.addon_enable(module=addon_name())
    assert hasattr(bpy.types.Scene, "blendwire")
