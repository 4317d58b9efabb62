// FramePack
