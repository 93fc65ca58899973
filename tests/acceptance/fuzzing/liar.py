"""An API whose document is not true, to see that it is found out."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI, HTTPException, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: UUID
    capacity: int


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: UUID
    name: str


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


app = FastAPI()
Anybody = Annotated[Any, Security(HTTPBearer(auto_error=False))]


@app.get("/v1/wrong-shape", response_model=Thing)
async def wrong_shape() -> JSONResponse:
    return JSONResponse({"id": "no id", "capacity": "one"})


@app.get("/v1/wrong-status", response_model=Thing)
async def wrong_status() -> JSONResponse:
    return JSONResponse({"detail": "I'm a teapot"}, status_code=418)


@app.get("/v1/open-door")
async def open_door(token: Anybody) -> dict[str, bool]:
    return {"known": token is not None}


@app.put("/v1/crash")
async def crash(wish: Wish) -> None:
    if len(wish.name) != 1:
        raise ZeroDivisionError


@app.put("/v1/takes-anything", responses={422: {}})
async def takes_anything(wish: dict[str, Any]) -> dict[str, Any]:
    return wish


@app.put("/v1/takes-nothing")
async def takes_nothing(wish: Wish) -> JSONResponse:  # noqa: ARG001  # it says it reads it
    return JSONResponse({"detail": "no"}, status_code=422)


_notes: dict[UUID, Note] = {}


@app.post("/v1/notes", status_code=201)
async def write_note(wish: Wish, token: Anybody) -> Note:  # noqa: ARG001  # as it says
    note = Note(id=uuid4(), name=wish.name)
    _notes[note.id] = note
    return note


@app.get("/v1/notes/{id}", responses={404: {}})
async def read_note(id: UUID, token: Anybody) -> Note:
    """For whoever has a token: nobody's notes are their own."""
    if token is None:
        raise HTTPException(401)
    if id not in _notes:
        raise HTTPException(404)
    return _notes[id]


def _document() -> dict[str, Any]:
    told = FastAPI.openapi(app)
    body = told["paths"]["/v1/takes-anything"]["put"]["requestBody"]["content"]
    body["application/json"]["schema"] = {"$ref": "#/components/schemas/Wish"}
    return told


app.openapi = _document  # type: ignore[method-assign]  # FastAPI's way to say so


@contextmanager
def lying_api() -> Iterator[str]:
    """Serve it in a thread; yield where."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
