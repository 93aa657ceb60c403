//! Who the service is and how it feels. Much of it is constant, as in the real one.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::Scene;
use crate::book::{Session, operation_status};
use ktrdr_http_sim::Answer;

const MEMORY_MB: f64 = 24_105.558_593_75;
const GPU_MEMORY_MB: f64 = 24_564.0;

pub(super) fn root(scene: &Scene) -> Answer {
    let mut body = json!({ "version": "1.0.0", "status": "running", "timestamp": scene.stamps.session(scene.now) });
    if scene.config.generation.is_worker_service() {
        body["service"] = "Training Worker Service".into();
        body["worker_id"] = scene.config.worker_id.clone().into();
    } else {
        body["service"] = "Training Host Service".into();
        body["gpu_available"] = scene.config.gpu.is_some().into();
        body["gpu_device_count"] = u32::from(scene.config.gpu.is_some()).into();
        body["gpu_type"] = gpu_type(scene).into();
    }
    Answer::ok(&body)
}

/// A string in either case.
fn gpu_type(scene: &Scene) -> &'static str {
    if scene.config.gpu.is_some() { "CUDA" } else { "None" }
}

pub(super) fn plain(scene: &Scene) -> Answer {
    let worker = scene.config.generation.is_worker_service();
    let service = if worker { "training-worker" } else { "training-host" };
    let mut body = json!({
        "healthy": true, "service": service, "timestamp": scene.stamps.session(scene.now), "status": "operational",
    });
    if worker {
        let operation = current_operation(scene);
        body["worker_status"] = if operation.is_some() { "busy" } else { "idle" }.into();
        body["current_operation"] = operation.into();
    }
    Answer::ok(&body)
}

/// The last operation that is not over, as far as the process knows: a cancelled one is, even if its training is not.
fn current_operation(scene: &Scene) -> Option<String> {
    let open = |session: &&Session| {
        let status = operation_status(session, &scene.book.view(session, scene.now));
        session.seen && matches!(status.as_str(), "running" | "pending")
    };
    scene.book.sessions.iter().rev().find(open).map(|session| session.id.clone())
}

/// `/health/` is not `/health`.
pub(super) fn nested(scene: &Scene) -> Answer {
    let gpu = scene.config.gpu.as_ref();
    let mut status =
        json!({ "available": gpu.is_some(), "device_count": u32::from(gpu.is_some()), "gpu_type": gpu_type(scene) });
    if let Some(name) = gpu {
        status["device_name"] = name.as_str().into();
        status["total_memory_mb"] = GPU_MEMORY_MB.into();
        status["allocated_memory_mb"] = 512.0.into();
    }
    Answer::ok(&json!({
        "healthy": true, "service": "training-host", "timestamp": scene.stamps.session(scene.now),
        "gpu_status": status,
        "system_info": { "cpu_percent": 34.6, "memory_percent": 6.0, "memory_total_mb": MEMORY_MB },
        "error": null,
    }))
}

pub(super) fn detailed(scene: &Scene) -> Answer {
    let gpu = scene.config.gpu.is_some();
    let manager = if gpu {
        json!({ "initialized": true, "monitoring_active": true, "total_memory_mb": GPU_MEMORY_MB, "device_count": 1 })
    } else {
        json!({ "initialized": false, "reason": "GPU not available or manager failed to initialize" })
    };
    Answer::ok(&json!({
        "healthy": true, "service": "training-host", "timestamp": scene.stamps.session(scene.now),
        "gpu_available": gpu, "gpu_device_count": u32::from(gpu),
        "gpu_memory_total_mb": if gpu { GPU_MEMORY_MB } else { 0.0 },
        "gpu_memory_allocated_mb": if gpu { 512.0 } else { 0.0 },
        // Never anything else, whatever runs.
        "active_training_sessions": 0, "uptime_seconds": 0.0,
        "system_memory_usage_percent": 6.1, "system_memory_total_mb": MEMORY_MB,
        "gpu_manager_status": manager, "error": null,
    }))
}

/// How a session uses the machine.
pub(super) fn gpu_usage(scene: &Scene) -> Value {
    let gpu = scene.config.gpu.is_some();
    let mut usage = json!({
        "gpu_allocated": gpu, "memory_monitoring": true, "performance_optimization": true,
        "system_memory": { "process_mb": 868.5, "system_percent": 7.4, "system_total_mb": MEMORY_MB },
    });
    if gpu {
        usage["gpu_memory"] = json!({ "allocated_mb": 512.0, "total_mb": GPU_MEMORY_MB, "utilization_percent": 61.5 });
    }
    usage
}

pub(super) fn prometheus(scene: &Scene) -> Answer {
    let running = scene.book.running(scene.now);
    let text = format!("# TYPE training_sessions_running gauge\ntraining_sessions_running {running}\n");
    Answer::text(StatusCode::OK, "text/plain; version=0.0.4", text)
}
