"""What the weather service answers."""

from fastapi import Depends, FastAPI
from pydantic import BaseModel

from stations.readings import correct, mean_of

app = FastAPI()


class Readings(BaseModel):
    """What a station sends."""

    station: str
    values: list[float]


def offset():
    """The offset of a station that nobody calibrated."""
    return {}


@app.post("/means")
async def means(readings: Readings):
    """The mean and the maximum."""
    mean, warmest = await mean_of(readings.values)
    return {"mean": mean, "warmest": warmest}


@app.get("/corrected/{value}")
def corrected(value: float, shift: dict = Depends(offset)):
    """One reading, corrected; answered on a thread of the pool."""
    return {"value": correct(value, shift)}
