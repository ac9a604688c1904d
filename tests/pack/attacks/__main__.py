"""Runs the one program that the environment names."""

import os

import attacks
import second_round
from scene import Scene

name = os.environ["PROGRAM"]
program = getattr(attacks, name, None) or getattr(second_round, name)
program(Scene(int(os.environ.get("STEP", "1"))))
