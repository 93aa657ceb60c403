"""
The old backend's data and operations on a daemon, and an endpoint of one's own beside them.

pip install "ktrdr-client[fastapi]" uvicorn
uvicorn fastapi_app:app --app-dir docs/examples --port 8000
ktrdr daemon start                          # a daemon that comes later, or again, is found
curl localhost:8000/api/v1/data/NVDA/1h
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from ktrdr_client import AsyncClient
from ktrdr_client.fastapi import ktrdr_router

# one connection for everything; the socket is found as the command line finds it
ktrdr = AsyncClient()

app = FastAPI(title="ktrdr")
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
app.include_router(ktrdr_router(ktrdr))


@app.get("/api/v1/health")
async def health() -> dict[str, Any]:
    """As the old backend had it, with the gateway's state."""
    status, gateway = await ktrdr.status(), await ktrdr.gateway()
    return {"status": "ok", "version": status.version, "gateway": gateway.state}


@app.get("/last/{symbol}/{timeframe}")
async def last(symbol: str, timeframe: str) -> dict[str, Any]:
    """The newest stored bar."""
    bars = await ktrdr.bars(symbol, timeframe, tail=1, as_="numpy")
    return {name: column[0].item() if name != "timestamp" else f"{column[0]}Z" for name, column in bars.items()}
