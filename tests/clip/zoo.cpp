// SPDX-License-Identifier: Apache-2.0
#include "zoo.h"

#include "ghostgrad/models/beit.h"
#include "ghostgrad/models/cnn.h"
#include "ghostgrad/models/deep_cnn.h"
#include "ghostgrad/models/gpt.h"
#include "ghostgrad/models/lenet.h"
#include "ghostgrad/models/mlp.h"
#include "ghostgrad/models/recurrent.h"
#include "ghostgrad/models/resnet.h"
#include "ghostgrad/models/roberta.h"
#include "ghostgrad/models/transformer.h"
#include "ghostgrad/models/vgg.h"
#include "ghostgrad/models/vit.h"

namespace ghostgrad::tests {
namespace {

using at::Tensor;
using namespace models;

constexpr int64_t kTokens = 11, kPositions = 6, kIgnored = -100;

Subject classifier(std::shared_ptr<Model> model, const Tensor& inputs, at::ScalarType dtype) {
  model->to(dtype);
  return {model->parameters(), {inputs, torch::randint(3, {inputs.size(0)})}, [model](const Batch& b) {
            return at::cross_entropy_loss(model->forward(b[0]), b[1], {}, at::Reduction::None);
          }};
}

SubjectFactory of_images(const std::string& name, const ImageShape& image, const std::function<std::shared_ptr<Model>()>& make) {
  return {name, [=](int64_t examples, at::ScalarType dtype) {
            return classifier(make(), torch::randn({examples, image.channels, image.height, image.width}, dtype), dtype);
          }};
}

template <class Built, class Options>
SubjectFactory of_images(const std::string& name, const Options& options) {
  return of_images(name, options.image, [=] { return std::make_shared<Built>(options); });
}

// As the trainer does it: the mean over the tokens that are asked for, as many as each example has.
SubjectFactory language(const std::string& name, bool tied) {
  return {name, [=](int64_t examples, at::ScalarType dtype) {
            auto model = std::make_shared<Gpt>(GptOptions{kTokens, kPositions, 8, 2, 2, tied});
            model->to(dtype);
            Tensor targets = torch::randint(kTokens, {examples, kPositions});
            for (int64_t i = 0; i < examples; ++i) targets[i].narrow(0, 0, i % 4).fill_(kIgnored);
            return Subject{model->parameters(), {torch::randint(kTokens, {examples, kPositions}), targets}, [model](const Batch& b) {
                             const Tensor tokens = at::cross_entropy_loss(model->forward(b[0]).flatten(0, 1), b[1].flatten(), {},
                                                                          at::Reduction::None, kIgnored);
                             return tokens.view(b[1].sizes()).sum(1) / b[1].ne(kIgnored).sum(1).clamp_min(1);
                           }};
          }};
}

Subject sentences(int64_t examples, at::ScalarType dtype) {
  Tensor tokens = torch::randint(1, kTokens, {examples, kPositions});
  for (int64_t i = 0; i < examples; ++i) tokens[i].narrow(0, kPositions - i % 4, i % 4).zero_();
  return classifier(std::make_shared<Roberta>(RobertaOptions{kTokens, kPositions, 3, 8, 2, 2}), tokens, dtype);
}

}  // namespace

const std::vector<SubjectFactory>& zoo_subjects() {
  static const std::vector<SubjectFactory> all = {
      {"mlp",
       [](int64_t examples, at::ScalarType dtype) {
         return classifier(std::make_shared<Mlp>(MlpOptions{6, {5, 4}, 3, true}), torch::randn({examples, 6}, dtype), dtype);
       }},
      of_images<Cnn>("cnn", CnnOptions{{1, 16, 16}, 3}),
      of_images<LeNet>("cnn_20_50", LeNetOptions{{1, 16, 16}, 3, 4, 5, 6}),
      of_images<DeepCnn>("deep_cnn", DeepCnnOptions{{3, 8, 8}, 3, {4, 6, 8}, 5}),
      of_images<Recurrent>("rnn", RecurrentOptions{{1, 4, 5}, 3, Cell::rnn, 6}),
      of_images<Recurrent>("lstm", RecurrentOptions{{1, 4, 5}, 3, Cell::lstm, 6}),
      of_images<Recurrent>("gru", RecurrentOptions{{1, 4, 5}, 3, Cell::gru, 6}),
      of_images<models::Transformer>("transformer", TransformerOptions{{1, 4, 6}, 3, 1, 0, 8, 2, 2}),
      of_images<ResNet>("resnet", ResNetOptions{{3, 8, 8}, 3, {1, 1}, false, 4, 2}),
      of_images<ResNet>("resnet_bottleneck", ResNetOptions{{3, 64, 64}, 3, {1}, true, 2, 2}),
      // Three channels in each group of a norm: of one alone a bias has no gradient but rounding, which a normalising clip function enlarges.
      of_images<Vgg>("vgg", VggOptions{{3, 8, 8}, 3, {1, 2}, {5}, 6}),
      of_images<Vit>("vit", VitOptions{{3, 8, 8}, 3, 4, 8, 2, 2}),
      of_images<Beit>("beit", BeitOptions{{3, 8, 8}, 3, 4, 8, 2, 2}),
      language("gpt", false),
      language("gpt2", true),
      {"roberta", sentences}};
  return all;
}

}  // namespace ghostgrad::tests
