"""The eight stages of the tutorial as trainers of packs. They import numpy, torch and one another, nothing else."""
