"""Where models compute."""


def device_of(name: str) -> str:
    """``auto`` as ``cuda`` where there is a GPU, else ``cpu``; anything else as it is."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name
