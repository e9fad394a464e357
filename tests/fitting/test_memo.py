"""The memo of a search is found where it runs, and nowhere else."""

from threading import Thread

from sknn_basic._fitting.memo import NO_MEMO, NoMemo, active_memo, remembering


def test_a_memo_is_active_in_its_block_and_thread_only():
    memo, elsewhere = NoMemo(), []
    with remembering(memo):
        assert active_memo() is memo
        thread = Thread(target=lambda: elsewhere.append(active_memo()))
        thread.start()
        thread.join()
    assert active_memo() is NO_MEMO
    assert elsewhere == [NO_MEMO]


def test_no_memo_remembers_nothing():
    assert NO_MEMO.recall(None, None, None, None, None) is None
    assert NO_MEMO.logits(None, None) is None
    assert NO_MEMO.transformed(lambda scaler, X: X / scaler, 2, 6) == 3
