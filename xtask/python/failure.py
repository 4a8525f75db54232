"""How a command ends that cannot do what it was asked for."""


class Failure(Exception):
    """What went wrong, as a sentence."""


def fail(sentence):
    raise Failure(sentence)
