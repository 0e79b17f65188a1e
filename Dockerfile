# One image for every role; docker-compose.yml says which command each runs.
FROM python:3.13-slim AS packages
COPY requirements.lock requirements-uv.lock /tmp/
RUN python -m venv /opt/fusion \
 && /opt/fusion/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements-uv.lock \
 && /opt/fusion/bin/uv pip install --no-cache --compile-bytecode --python /opt/fusion/bin/python \
    --require-hashes -r /tmp/requirements.lock

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin fusion \
 && install -d -o fusion -g fusion -m 0700 /data /files
COPY --from=packages /opt/fusion /opt/fusion
WORKDIR /app
COPY manage.py pyproject.toml ./
COPY fusion_site fusion_site
COPY console console
COPY templates templates
COPY static static
# The environment is the image's own: nothing is installed when it starts.
ENV PATH=/opt/fusion/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FUSION_BOOTSTRAP=0 \
    FUSION_HOST=0.0.0.0 \
    FUSION_PORT=8000 \
    FUSION_VAR_DIR=/data
USER fusion
VOLUME /data /files
EXPOSE 8000
CMD ["python", "-m", "fusion_site.webs", "-b", "0.0.0.0", "-p", "8000"]
