from rfav_cli.records import ALONE, Ranks

TORCHRUN = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}


def test_torchrun_says_who_one_is():
    ranks = Ranks.of_torchrun(TORCHRUN | {"TORCHELASTIC_RUN_ID": "none"})
    assert ranks == Ranks(rank=5, world=8, local=1, local_world=4)
    assert not ranks.alone
    assert not ranks.first


def test_other_launchers_mean_nothing():
    assert Ranks.of_torchrun(TORCHRUN) == Ranks.of_torchrun({}) == ALONE
    assert ALONE.alone
    assert ALONE.first
