# Two images on one base: `api` knows no torch, `worker` does (its wheel carries CUDA, so the base need not).
# Docker with BuildKit (the default since 23) reads this, and Podman (tried with 4.3).

FROM python:3.12-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN useradd --uid 10001 --create-home gradyard \
    && install --directory --owner gradyard --group gradyard --mode 700 /var/lib/gradyard

# Our own code as a wheel: the folders that were copied to make it stay behind here. It is copied, not mounted: Podman
# 4.3 mounts nothing from a stage that it has built before.
FROM base AS wheel
WORKDIR /house
COPY . .
RUN pip wheel --no-deps --wheel-dir /wheels .

# What our code needs, without our code: this layer is made again only when the two files change, not with each edit.
FROM base AS api-dependencies
WORKDIR /house
COPY pyproject.toml constraints.txt ./
RUN touch README.md && pip install -c constraints.txt '.[server,postgresql,files]'

# torch lies on top of what the API needs, so the two images share all layers below.
FROM api-dependencies AS worker-dependencies
RUN pip install -c constraints.txt '.[server,worker,postgresql,files]'

FROM api-dependencies AS api
COPY --from=wheel /wheels /wheels
RUN pip install --no-deps --force-reinstall /wheels/*.whl
USER gradyard
WORKDIR /home/gradyard
EXPOSE 8000
CMD ["gradyard", "api", "--host", "0.0.0.0", "--port", "8000"]

FROM worker-dependencies AS worker
COPY --from=wheel /wheels /wheels
RUN pip install --no-deps --force-reinstall /wheels/*.whl
USER gradyard
WORKDIR /home/gradyard
CMD ["gradyard", "worker"]
