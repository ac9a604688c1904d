"""Runs the one program that the environment names."""

import os

import attacks
from scene import Scene

getattr(attacks, os.environ["PROGRAM"])(Scene(int(os.environ.get("STEP", "1"))))
