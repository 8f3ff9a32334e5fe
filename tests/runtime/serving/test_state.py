"""State that an upstream keeps is reached by the project it belongs to, and by nobody else."""

from __future__ import annotations

import pytest

from runtime.artifact import Artifact
from tests.runtime.serving.conftest import STATE_KEY
from tests.runtime.serving.deployment import VAULT, WEB, YAML, ask, good
from tests.support.serving import PATHS, Got, Served, compiled, serving

PATH = PATHS["responses"]
MODES = pytest.mark.parametrize("stream", [False, True])


def ids(got: Got, field: str = "id") -> set[str]:
    """Every id of the answer that is named anywhere in it."""
    if got.headers["content-type"] == "application/json":
        return {got.body[field]}
    return {event["response"][field] for event in got.events if "response" in event}


def begun(router: Served, *, stream: bool = False) -> str:
    got = router.post(PATH, WEB, ask("responses", "state", store=True, stream=stream))
    (sealed,) = ids(got)
    return sealed


def continued(router: Served, sealed: str, token=WEB, model="state", **more) -> Got:
    body = ask("responses", model, previous_response_id=sealed, **more)
    return router.post(PATH, token, body)


def not_found(got: Got, where: str = "previous_response_id") -> bool:
    return (
        got.status == 400
        and got.error["code"] == "previous-response-not-found"
        and (got.error["param"] == where and got.headers["x-should-retry"] == "false")
    )


@MODES
def test_a_conversation_goes_on_where_it_was_begun(router: Served, stream: bool):
    sealed = begun(router, stream=stream)
    first = router.last()
    assert sealed.startswith("resp_")
    assert sealed.endswith(".resp_upstream1")
    for _ in range(4):  # whatever the lot of a new session would be
        got = continued(router, sealed, stream=stream)
        assert router.last().url == first.url
        assert router.last().body["previous_response_id"] == "resp_upstream1"
        assert ids(got, "previous_response_id") == {sealed}


@MODES
def test_no_other_project_can_use_it(router: Served, stream: bool):
    sealed = begun(router, stream=stream)
    asked = len(router.asked)
    assert not_found(continued(router, sealed, VAULT))
    assert len(router.asked) == asked


def test_every_id_that_was_not_given_out_here_is_unknown(router: Served):
    sealed = begun(router)
    asked = len(router.asked)
    tag, proof, upstream = sealed.removeprefix("resp_").split(".")
    for wrong in (
        "resp_upstream1",
        f"resp_{tag}.{proof}.{upstream}x",
        f"resp_{tag}.{proof[:-1]}x.{upstream}",
        f"resp_000000.{proof}.{upstream}",
        f"resp_{tag}..{upstream}",
        f"resp_{tag}.{proof}",
        "x",
        "\u00e9",
    ):
        assert not_found(continued(router, wrong)), wrong
    assert not_found(continued(router, sealed, model="plain")), "no member keeps state"
    assert len(router.asked) == asked


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"conversation": "conv_1"}, "conversation"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"role": "user", "content": "a"}, {"id": "fc_1"}]}, "input[1]"),
    ],
)
def test_state_under_an_upstreams_own_id_is_unknown_for_nothing_says_whose_it_is(
    router: Served, fields, where
):
    for model in ("state", "plain"):
        assert not_found(router.post(PATH, WEB, ask("responses", model, **fields)), where)
    assert router.asked == []


def test_a_reference_to_reasoning_is_left_out_and_named(router: Served):
    user = {"role": "user", "content": "a"}
    items = [{"type": "item_reference", "id": "rs_1"}, user]
    got = router.post(PATH, WEB, ask("responses", "state", input=items))
    assert got.dropped == ["item_reference"]
    assert router.last().body["input"] == [user]


def test_an_id_outlives_the_artifact_and_not_the_key(router: Served, artifact: Artifact, tmp_path):
    sealed = begun(router)
    url = router.last().url
    turned = "members: [{target: keeper}, {target: holder}]"
    assert turned in YAML
    changed = YAML.replace(turned, "members: [{target: holder}, {target: keeper}]")
    newer = compiled(changed, tmp_path)
    assert newer.digest != artifact.digest
    with serving(newer, good, state_key=STATE_KEY) as other:
        assert continued(other, sealed).status == 200
        assert other.last().url == url
    with serving(artifact, good, state_key=b"another key, as long") as other:
        assert not_found(continued(other, sealed))


def test_an_answer_of_a_skin_that_keeps_nothing_has_the_upstreams_own_id(router: Served):
    got = router.post(PATH, WEB, ask("responses", "plain"))
    assert got.body["id"] == "resp_upstream1"
    assert not_found(continued(router, got.body["id"]))
