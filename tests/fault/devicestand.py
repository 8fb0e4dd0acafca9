"""A stand whose database, lake and inbox lie on devices of their own, and the power cut of all of them.

Three disks, because on one alone each commit of the database would make the lake's renames durable too, and a
forgotten fsync would never show. Used by power.py, disks.py and tests/integ/test_disk_trouble.py.
"""

import contextlib
import os
import pathlib
import shutil

import devices
from ownstack import devstack
from stack import is_alive, process_tree
from stand import Stand, send_signal


NOTE = "stack"  # in a place: the folder of the stack that its devices are of


def clear_leftovers():
    for place in devices.leftovers():
        with contextlib.suppress(FileNotFoundError):
            folder = pathlib.Path((place / NOTE).read_text())
            if folder.is_dir():
                devstack("down", "--dir", str(folder))
                devices.remove_tree(folder)
        devices.remove_tree(place)


class DeviceStand(Stand):
    """`makers` maps a folder of the stack (pg, lake, inbox) to what makes its device: maker(place, path) -> Disk or
    Tmpfs. lights_out() cuts the power; up() switches it on again. remove() takes everything down, whatever state it
    is in."""

    def __init__(self, makers, **settings):
        super().__init__(**settings)
        self.makers = makers
        self.devices = {}
        clear_leftovers()
        self.place = devices.make_place()
        (self.place / NOTE).write_text(str(self.dir))

    def start(self):
        """The folders are made by the stack first, and then taken over by the devices."""
        super().start()
        if "pg" in self.makers:
            self.own.stop()
        for name, maker in self.makers.items():
            self.devices[name] = maker(self.place, self.dir / name)
        self.up()
        return self

    def up(self):
        self.attach()
        super().up()

    @property
    def disks(self):
        return [device for device in self.devices.values() if isinstance(device, devices.Disk)]

    def attach(self):
        for disk in self.disks:
            if not disk.processes:
                disk.attach()

    def detach(self):
        for disk in self.disks:
            if disk.processes:
                disk.detach()

    def remount(self):
        """Under the running service. Afterwards files are what the disks hold, and no longer what the page cache does: a
        write that failed leaves its page there, as if it had not."""
        for disk in self.disks:
            disk.detach()
            disk.attach()

    def kill_all(self):
        """kill -9 of every process of the stack; who waits for a disk goes when the disk does."""
        killed = set(self._postgres())
        for name in (self.dir / "pids").glob("*"):
            if name.suffix != ".start":
                killed.update(process_tree(int(name.read_text())))
        for pid in killed:
            send_signal(pid, 9)
        return killed

    def _postgres(self):
        """Whoever works in the database's folder: backends outlive a killed postmaster for a moment."""
        for link in pathlib.Path("/proc").glob("[0-9]*/cwd"):
            with contextlib.suppress(OSError):
                if os.readlink(link) == str(self.dir / "pg"):
                    yield int(link.parts[2])

    def lights_out(self):
        """The machine is without power: disks and processes end at once, and what no disk was told to keep is gone."""
        on = [disk for disk in self.disks if disk.processes]
        devices.freeze(on)
        killed = self.kill_all()
        devices.cut(on)
        devices.wait_until(lambda: not any(is_alive(pid) for pid in killed), "killed processes end")
        self.detach()

    def remove(self):
        with contextlib.ExitStack() as left:
            left.callback(shutil.rmtree, self.dir, ignore_errors=True)
            left.callback(shutil.rmtree, self.place, ignore_errors=True)
            for device in self.devices.values():
                left.callback(device.close)
            left.callback(self.kill_all)


@contextlib.contextmanager
def device_stand(makers, **settings):
    """Started, and removed whatever happens."""
    made = DeviceStand(makers, **settings)
    try:
        yield made.start()
    finally:
        made.remove()
