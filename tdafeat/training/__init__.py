"""How the embedded encoders were made: one trainer per method over a shared loop.

On a machine shared with other work, ``OMP_NUM_THREADS=1`` is much quicker than several threads
that wait for one another.
"""
