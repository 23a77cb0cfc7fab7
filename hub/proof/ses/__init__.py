"""Electronic seals and signatures with them (GB/T 38540-2020, GM/T 0031-2014)."""
