"""Fuzzing of everything that reads what others wrote.

    python -m tests.fuzz NAME --inputs 100000 [--engine atheris] [--seed 1]

A target (`targets.py`) is a reader and some valid inputs; `mutation.py` damages them knowing how
they are built, so that checksums hold and damage reaches what they protect. hypothesis drives and
shrinks, atheris (extra ``fuzz``) is led by what code an input reached. Whatever comes out must be
an error that tdafeat raised itself (`harness.py`). Inputs that once did worse are in ``corpus/``
and are read again in every test run.
"""
