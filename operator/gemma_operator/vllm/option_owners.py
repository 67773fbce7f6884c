"""Who owns each option of ``vllm serve``: a field of the spec, the plan, the pod, or the user.

Data of ``extra_arguments``. Every option of the pinned release stands in exactly one set (a test counts), so that
an option which nobody has judged is never passed on by accident.
"""

PLANNED = {
    "model": "model.checkpoint",
    "model-class-overrides": "model.checkpoint",
    "model-impl": "model.checkpoint",
    "config-format": "model.checkpoint",
    "runner": "model.checkpoint",
    "convert": "model.checkpoint",
    "tokenizer": "model.checkpoint",
    "hf-config-path": "model.checkpoint",
    "hf-overrides": "model.checkpoint",
    "revision": "model.revision",
    "code-revision": "model.revision",
    "tokenizer-revision": "model.revision",
    "load-format": "model.source",
    "download-dir": "model.source",
    "served-model-name": "servedModelNames",
    "max-model-len": "contextLength",
    "max-num-active-seqs": "concurrentRequests",
    "dtype": "model.quantization",
    "quantization": "model.quantization",
    "quantization-config": "model.quantization",
    "allow-deprecated-quantization": "model.quantization",
    "kv-cache-dtype": "model.kvCacheDtype",
    "kv-cache-dtype-skip-layers": "model.kvCacheDtype",
    "language-model-only": "model.modalities",
    "limit-mm-per-prompt": "model.modalities",
    "enable-mm-embeds": "model.modalities",
    "mm-encoder-only": "model.modalities",
    "mm-processor-kwargs": "model.media",
    "media-io-kwargs": "model.media",
    "trust-request-mm-kwargs": "model.media",
    "allowed-local-media-path": "model.media",
    "allowed-media-domains": "model.media.allowedDomains",
    "reasoning-parser": "features.thinking",
    "default-chat-template-kwargs": "features.thinking",
    "enable-auto-tool-choice": "features.toolCalling",
    "tool-call-parser": "features.toolCalling",
    "api-key": "engine.apiKeySecretRef",
    "shutdown-timeout": "rollout.drainTimeoutSeconds",
}
"""Options that a field of the spec sets, with the field."""

COMPUTED = frozenset(
    """
    additional-config async-scheduling attention-backend attention-config block-size compilation-config
    cpu-offload-gb cpu-offload-params cudagraph-capture-sizes default-mm-loras diffusion-config
    disable-hybrid-kv-cache-manager disable-sliding-window ec-manager-config ec-transfer-config
    enable-batch-sharded-sampling enable-chunked-prefill enable-cumem-allocator enable-dbo enable-hc-sp enable-lora
    enable-mixed-moe-lora-format enable-moe-shared-loras enable-prompt-embeds enable-return-routed-experts
    enable-sleep-mode enable-tower-connector-lora enable-trace-replay enforce-eager engram-config
    fully-sharded-loras gpu-memory-utilization kv-cache-memory-bytes kv-offloading-backend
    kv-offloading-size kv-transfer-config lora-dtype lora-modules lora-target-modules max-cpu-loras
    max-cudagraph-capture-size max-lora-cls-labels max-lora-rank max-loras max-num-batched-tokens max-num-seqs
    mm-encoder-attn-dtype mm-encoder-tp-mode mm-ipc-gpu-memory-gb mm-processor-cache-type mm-processor-device
    mm-shm-cache-max-object-size-mb mm-tensor-ipc
    num-gpu-blocks-override offload-backend offload-group-size offload-num-in-group offload-params
    offload-prefetch-step optimization-level performance-mode skip-mm-profiling sleep-mode-offload-cudagraph
    sleep-preserve-parameter-names spec-method spec-model spec-tokens specialize-active-lora speculative-config
    ubatch-size watermark
    """.split()  # noqa: SIM905
)
"""Options that change the memory the plan has computed, or how much of it a full-length request may have."""

PLACED = frozenset(
    """
    all2all-backend api-server-count cp-kv-cache-interleave-size data-parallel-address data-parallel-backend
    data-parallel-external-lb data-parallel-hybrid-lb data-parallel-multi-port-external-lb data-parallel-rank
    data-parallel-rpc-port data-parallel-size data-parallel-size-local data-parallel-start-rank
    data-parallel-supervisor-port dbo-decode-token-threshold dbo-prefill-token-threshold dcp-comm-backend
    dcp-kv-cache-interleave-size dcp-q-replicate decode-context-parallel-size device-ids
    disable-nccl-for-dp-synchronization distributed-executor-backend dp-supervisor-probe-failure-threshold
    dp-supervisor-probe-interval-s dp-supervisor-probe-timeout-s dp-sync-interval elastic-ep-max-dp-size
    enable-elastic-ep enable-ep-weight-filter enable-eplb enable-expert-parallel enable-fault-tolerance eplb-config
    expert-placement-strategy fault-tolerance-config headless master-addr master-port nnodes node-rank
    pipeline-parallel-size prefill-context-parallel-size ray-workers-use-nsight tensor-parallel-size
    """.split()  # noqa: SIM905
)
"""Options that decide how many GPUs or processes there are."""

SERVED = frozenset(
    """
    config disable-access-log-for-endpoints disable-log-stats enable-ssl-refresh grpc grpc-port help host port
    root-path skip-tokenizer-init ssl-ca-certs ssl-cert-reqs ssl-certfile ssl-ciphers ssl-keyfile tokens-only uds
    log-config-file log-level logging-config
    """.split()  # noqa: SIM905
)
"""Options by which probes, drain, metrics or the termination message would lose the engine."""

PRIVATE = frozenset(
    """
    enable-log-deltas enable-log-outputs enable-log-requests hf-token kv-events-config max-log-len tool-server
    """.split()  # noqa: SIM905
)
"""Options by which prompts, answers or secrets would reach a log, a spec or another process."""

CODE = frozenset(
    """
    io-processor-plugin logits-processors middleware reasoning-parser-plugin scheduler-cls tool-parser-plugin
    trust-remote-code weight-transfer-config worker-cls worker-extension-cls
    """.split()  # noqa: SIM905
)
"""Options that load code or weights from elsewhere into the engine."""

FREE = frozenset(
    """
    aggregate-engine-logging allow-credentials allowed-headers allowed-methods allowed-origins
    anthropic-disabled-thinking-effort aux-output-config chat-template chat-template-content-format cohere-format
    cohere-is-reasoning-model collect-detailed-traces cpu-distributed-timeout-seconds cudagraph-metrics
    custom-histogram-buckets disable-cascade-attn disable-chunked-mm-input disable-custom-all-reduce
    disable-fastapi-docs disable-uvicorn-access-log distributed-timeout-seconds enable-flash-late-interaction
    enable-flashinfer-autotune enable-force-include-usage enable-layerwise-nvtx-tracing
    enable-logging-iteration-details enable-mamba-cache-stochastic-rounding enable-mamba-shared-prefix-checkpoint
    enable-mfu-metrics enable-nccl-comm-suspend enable-offline-docs enable-per-request-metrics
    enable-prefix-caching enable-prompt-tokens-details enable-request-id-headers enable-scale-out
    enable-server-load-tracking enable-shm-tensor-arena enable-tokenizer-info-endpoint
    exclude-tools-when-tool-choice-none fail-on-environ-validation fingerprint-mode fingerprint-value
    gdn-prefill-backend generation-config h11-max-header-count h11-max-incomplete-event-size ignore-patterns
    interleave-mm-strings ir-op-priority jit-monitor-mode jit-monitor-verbose kda-decode-backend
    kda-prefill-backend kernel-config kv-cache-metrics kv-cache-metrics-sample kv-sharing-fast-prefill linear-backend
    log-error-stack logprobs-mode long-prefill-token-threshold long-prefill-token-threshold-adaptive
    mamba-backend mamba-block-size mamba-cache-dtype mamba-cache-mode mamba-cache-philox-rounds
    mamba-ssm-cache-dtype mamba-ssu-algorithm max-logprobs max-num-queued-reqs max-num-queued-tokens
    max-num-scheduled-tokens max-parallel-loading-workers mm-device-do-normalize mm-encoder-attn-backend
    mm-encoder-fp8-scale-path mm-encoder-fp8-scale-save-margin mm-encoder-fp8-scale-save-path mm-hasher-algorithm
    mm-processor-cache-gb model-loader-extra-config
    moe-backend numa-bind numa-bind-cpus numa-bind-nodes otlp-traces-endpoint override-generation-config
    per-request-spec-decode-metrics pooler-config prefill-schedule-interval prefix-cache-retention-interval
    prefix-caching-hash-algo prefix-match-unit profiler-config pt-load-map-location reasoning-config
    renderer-num-workers replayssm-buffer-len response-role return-sampling-mask return-tokens-as-token-ids
    safetensors-load-strategy safetensors-prefetch-block-size safetensors-prefetch-num-threads
    scheduler-reserve-full-isl scheduling-policy seed show-hidden-metrics-for-version sparse-indexer-topk-backend
    sse-keep-alive-interval stream-interval structured-outputs-config swa-bounded-replay tokenizer-mode
    tool-strict-level trust-request-chat-template use-fp64-gumbel use-replayssm use-tqdm-on-load
    uvicorn-log-level video-pruning-method video-pruning-rate watermark-config
    """.split()  # noqa: SIM905
)
"""Options that are the user's: they change answers, speed or logs, never the promise."""
