"""The kernel of the engine `fused`, in Triton's language. Nothing here can be imported without Triton."""
