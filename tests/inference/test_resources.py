import os
from pathlib import Path

from structbert_lite.inference.resources import cpu_facts, read_quotas, usable_cpus


def test_is_within_the_affinity() -> None:
    assert 1 <= usable_cpus() <= len(os.sched_getaffinity(0))


def test_follows_the_affinity() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cpus() == 1
    finally:
        os.sched_setaffinity(0, before)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def test_the_quota_of_a_service_counts_and_of_what_it_is_in(tmp_path: Path) -> None:
    write(tmp_path / "own", "0::/system.slice/lite.service")
    write(tmp_path / "system.slice" / "cpu.max", "300000 100000")
    write(tmp_path / "system.slice" / "lite.service" / "cpu.max", "150000 100000")
    assert sorted(read_quotas(tmp_path, tmp_path / "own")) == [1.5, 3.0]


def test_without_a_limit_there_is_no_quota(tmp_path: Path) -> None:
    write(tmp_path / "own", "0::/system.slice")
    write(tmp_path / "system.slice" / "cpu.max", "max 100000")
    assert list(read_quotas(tmp_path, tmp_path / "own")) == []


def test_the_first_version_has_a_tree_for_each_controller(tmp_path: Path) -> None:
    write(tmp_path / "own", "4:memory:/\n1:cpu,cpuacct:/a")
    write(tmp_path / "cpu" / "a" / "cpu.cfs_quota_us", "100000")
    write(tmp_path / "cpu" / "a" / "cpu.cfs_period_us", "50000")
    write(tmp_path / "cpu" / "cpu.cfs_quota_us", "-1")
    write(tmp_path / "cpu" / "cpu.cfs_period_us", "100000")
    assert list(read_quotas(tmp_path, tmp_path / "own")) == [2.0]


def test_in_a_container_that_shows_the_hosts_path_its_own_root_counts(tmp_path: Path) -> None:
    write(tmp_path / "own", "0::/docker/8f3a")
    write(tmp_path / "cpu.max", "50000 100000")
    assert list(read_quotas(tmp_path, tmp_path / "own")) == [0.5]


def test_a_cpu_is_described_in_the_same_words_each_time() -> None:
    assert cpu_facts() == cpu_facts()
    assert os.uname().machine in cpu_facts()
    assert "MHz" not in cpu_facts()
