"""The exec'ed process that owns torch and the device. No SQL, no Redis, no secret: frames in, frames out."""
