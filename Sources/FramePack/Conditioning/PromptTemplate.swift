public import Tokenizers

/// The text that surrounds every prompt on its way into the Llama encoder.
///
/// Source: `DEFAULT_PROMPT_TEMPLATE` of diffusers' HunyuanVideo pipeline, a constant that the
/// released weights were trained with, byte for byte.
public enum PromptTemplate {
    /// What stands before the prompt.
    public static let head =
        "<|start_header_id|>system<|end_header_id|>\n\n"
        + "Describe the video by detailing the following aspects: "
        + "1. The main content and theme of the video."
        + "2. The color, shape, size, texture, quantity, text, and spatial relationships of the "
        + "objects."
        + "3. Actions, events, behaviors temporal relationships, physical movement changes of the "
        + "objects."
        + "4. background environment, light, style and atmosphere."
        + "5. camera angles, movements, and transitions used in the video:<|eot_id|>"
        + "<|start_header_id|>user<|end_header_id|>\n\n"
    /// What stands after it.
    public static let tail = "<|eot_id|>"
    /// Tokens of the head with the released tokenizer, begin-of-text included.
    public static let releasedCrop = 95

    /// A prompt in its surroundings.
    public static func filled(_ prompt: String) -> String { head + prompt + tail }

    /// Tokens of the head with a tokenizer, begin-of-text included: 95 with the released one.
    public static func crop(_ tokenizer: Tokenizer) -> Int {
        let head = tokenizer.encode(head).ids
        // A tokenizer may put a token of its own behind every text; the head is not a whole text.
        let bare = tokenizer.encode(self.head, addSpecialTokens: false).ids
        let ends = head.last != bare.last
        return head.count - (ends ? 1 : 0)
    }
}
