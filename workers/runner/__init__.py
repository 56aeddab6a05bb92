"""The process that has torch and the device. No SQL, no Redis, no secret: messages in, messages out."""
