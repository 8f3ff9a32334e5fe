"""The reviewer's room: what a deployment does, and what another one does otherwise."""
