// Gradients, grad mode, activation checkpointing.
#include "internal.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

using namespace ct;

namespace {

using Variables = torch::autograd::variable_list;

Variables take(ct_tensors list) {
  Variables tensors;
  for (int64_t i = 0; i < list.count; ++i) {
    tensors.push_back(std::move(ref(list.items[i])));
    ct_tensor_free(list.items[i]);
  }
  ct_tensors_free(list);
  return tensors;
}

/// A closure of the other side of the ABI, kept by the graph until the backward pass is done.
struct Body : torch::CustomClassHolder {
  ct_body run;
  void *context;
  void (*release)(void *);

  Body(ct_body run, void *context, void (*release)(void *))
      : run(run), context(context), release(release) {}
  ~Body() override { release(context); }

  Variables operator()(const Variables &inputs) const {
    std::vector<ct_tensor> handles;
    for (const auto &input : inputs) handles.push_back(give(input));
    ct_tensors outputs{nullptr, 0};
    const auto status = run(context, handles.data(), handles.size(), &outputs);
    for (auto handle : handles) ct_tensor_free(handle);
    if (status != CT_OK) throw CallbackFailure(status);
    return take(outputs);
  }
};

/// Reentrant activation checkpointing: the forward pass keeps its inputs and nothing else.
struct Checkpoint : torch::autograd::Function<Checkpoint> {
  static Variables forward(torch::autograd::AutogradContext *context,
                           c10::intrusive_ptr<Body> body, at::TensorList inputs) {
    context->saved_data["body"] = c10::IValue::make_capsule(body);
    context->save_for_backward(inputs.vec());
    at::NoGradGuard guard;
    return (*body)(inputs.vec());
  }

  static Variables backward(torch::autograd::AutogradContext *context, Variables gradients) {
    const auto body = c10::static_intrusive_pointer_cast<Body>(
        context->saved_data["body"].toCapsule());
    Variables inputs;
    for (const auto &saved : context->get_saved_variables()) {
      inputs.push_back(saved.detach().set_requires_grad(saved.requires_grad()));
    }
    Variables outputs;
    {
      at::AutoGradMode guard(true);
      outputs = (*body)(inputs);
    }
    Variables reached, seeds;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].requires_grad() || !gradients[i].defined()) continue;
      reached.push_back(outputs[i]);
      seeds.push_back(gradients[i]);
    }
    torch::autograd::backward(reached, seeds);
    Variables result{at::Tensor()};  // the body itself has no gradient
    for (const auto &input : inputs) result.push_back(input.grad());
    return result;
  }
};

}  // namespace

int32_t ct_backward(ct_tensor t, ct_tensor gradient) {
  CT_TRY(ref(t).backward(gradient ? ref(gradient) : at::Tensor()))
}

int32_t ct_grad(ct_tensors *out, const ct_tensor *outputs, int64_t outputs_count,
                const ct_tensor *inputs, int64_t inputs_count, bool retain_graph,
                bool create_graph) {
  CT_TRY(*out = give(torch::autograd::grad(tensors(outputs, outputs_count),
                                           tensors(inputs, inputs_count), {}, retain_graph,
                                           create_graph, /*allow_unused=*/true)))
}

int32_t ct_tensor_gradient(ct_tensor *out, ct_tensor t) {
  CT_TRY(const auto &gradient = ref(t).grad(); *out = gradient.defined() ? give(gradient) : nullptr)
}

int32_t ct_tensor_set_gradient(ct_tensor t, ct_tensor gradient) {
  CT_TRY(ref(t).mutable_grad() = gradient ? ref(gradient) : at::Tensor())
}

int32_t ct_tensor_set_requires_grad(ct_tensor t, bool on) { CT_TRY(ref(t).set_requires_grad(on)) }

bool ct_tensor_requires_grad(ct_tensor t) { return ref(t).requires_grad(); }

bool ct_grad_enabled() { return at::GradMode::is_enabled(); }

void ct_set_grad_enabled(bool on) { at::GradMode::set_enabled(on); }

int32_t ct_checkpoint(ct_tensors *out, const ct_tensor *inputs, int64_t inputs_count, ct_body body,
                      void *context, void (*release)(void *)) {
  CT_TRY(auto holder = c10::make_intrusive<Body>(body, context, release);
         // As a TensorList: `apply` takes the elements of no other list for inputs of the graph.
         const auto list = tensors(inputs, inputs_count);
         *out = give(Checkpoint::apply(holder, at::TensorList(list))))
}
