# syntax=docker/dockerfile:1
# The service in an image: nothing is written below / and nothing is downloaded when it runs.
#
#   docker build -t seedrag --build-arg TORCH_INDEX="…" .
#
# TORCH_INDEX            where torch's CPU build is to be had: the URL that the selector on pytorch.org gives
#                        for pip and CPU. Unset, pip takes its default torch, which on Linux brings CUDA along.
# EXTRAS                 "[telemetry]" adds what RAG_TELEMETRY needs.
# ONLY_FOR_COMPILING     packages that compile the encoder and then go; empty keeps them, for an encoder
#                        of your own (RAG_ENCODER=st:…).

FROM python:3.11-slim AS build
ARG TORCH_INDEX=""
ARG EXTRAS=""
ARG ONLY_FOR_COMPILING="torch transformers sentence-transformers scikit-learn scipy sympy networkx"
RUN python -m venv /opt/seedrag/venv
ENV PATH=/opt/seedrag/venv/bin:$PATH \
    ORT_DISABLE_TELEMETRY=1
WORKDIR /src
COPY requirements.lock ./
RUN if [ -n "$TORCH_INDEX" ]; then \
        grep '^torch==' requirements.lock > torch.lock && \
        pip install --no-cache-dir --no-deps --index-url "$TORCH_INDEX" -r torch.lock; \
    fi && \
    pip install --no-cache-dir -r requirements.lock
COPY pyproject.toml README.md LICENSE requirements-dev.lock ./
COPY prompts ./prompts
COPY rag ./rag
RUN pip install --no-cache-dir -c requirements.lock -c requirements-dev.lock ".$EXTRAS"
WORKDIR /
# hadolint ignore=SC2086
RUN RAG_CACHE_DIR=/opt/seedrag/cache python -c "from rag.config import Settings; \
from rag.embed import open_encoder; open_encoder(Settings.load())" && \
    if [ -n "$ONLY_FOR_COMPILING" ]; then pip uninstall --yes --quiet $ONLY_FOR_COMPILING; fi

FROM python:3.11-slim
LABEL org.opencontainers.image.title="seedrag" \
      org.opencontainers.image.description="Ask your own documents, and get an answer you can check." \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 seedrag && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin seedrag && \
    install --directory --owner=seedrag --group=seedrag /data/seeds /data/index /data/feedback
COPY --from=build /opt/seedrag /opt/seedrag
COPY LICENSE /app/
COPY api /app/api
ENV PATH=/opt/seedrag/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    RAG_HOST=0.0.0.0 \
    RAG_CACHE_DIR=/opt/seedrag/cache \
    RAG_SEEDS=/data/seeds \
    RAG_INDEX=/data/index \
    RAG_FEEDBACK=/data/feedback/feedback.jsonl
WORKDIR /app
USER 10001:10001
VOLUME ["/data/seeds", "/data/index", "/data/feedback"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:%s/healthz' % (os.environ.get('RAG_PORT') or 8000), timeout=4)"]
CMD ["python", "-m", "api"]
