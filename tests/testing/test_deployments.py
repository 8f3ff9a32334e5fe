"""Who answers what in the deployments of this repository, kept as snapshots to be reviewed."""


def test_who_answers(deployment, eligibility_snapshot):
    for group in deployment.groups:
        assert deployment.lock(group) == eligibility_snapshot(name=group)


def test_what_callers_are_offered(deployment, eligibility_snapshot):
    for caller in deployment.callers:
        assert deployment.listing(caller) == eligibility_snapshot(name=caller)


def test_every_agent_is_answered_at_once_by_a_target_that_keeps_its_tools(deployment):
    for client in ("codex/main", "claude-code/main", "opencode/main"):
        plan = deployment.plan("coder", client, project="web")
        assert "tools" in plan.needs
        assert plan.order
