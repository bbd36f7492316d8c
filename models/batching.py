"""Batches by length: texts of like length run together, so that little of a batch is padding."""

from collections.abc import Sequence


def batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Group texts, given by their lengths in tokens, and return the groups' positions, the shortest texts first.

    A group's padded size is its longest length times its count. It is at most ``budget`` tokens, unless a single
    text is longer. Every position is in exactly one group, and says where that text's answer belongs.
    """
    groups: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        # In ascending order, the one that comes is the longest of its group.
        if groups and lengths[position] * (len(groups[-1]) + 1) <= budget:
            groups[-1].append(position)
        else:
            groups.append([position])
    return groups
