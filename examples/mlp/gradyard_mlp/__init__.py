"""A stage for gradyard: a multilayer perceptron. Its facts load without torch, its trainer in a runner alone."""
