print("framepack")
