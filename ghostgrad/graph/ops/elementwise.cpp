// SPDX-License-Identifier: Apache-2.0
// Ops that act element by element, operands broadcast: dx[e] is g[e] times something.
#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

const TransferFunction element_by_element = [](Transfer& t) { t.elementwise(); };

const Registered arithmetic = transfers(
    {"AddBackward0",      "AddBackward1",       "SubBackward0",        "SubBackward1",      "RsubBackward0",     "RsubBackward1",
     "MulBackward0",      "MulBackward1",       "DivBackward0",        "DivBackward1",      "DivBackward2",      "DivBackward3",
     "NegBackward0",      "NegViewBackward0",   "ReciprocalBackward0", "PowBackward0",      "PowBackward1",      "PowBackward2",
     "SqrtBackward0",     "RsqrtBackward0",     "AbsBackward0",        "SgnBackward0",      "SignBackward0",     "FmodBackward0",
     "FmodBackward1",     "RemainderBackward0", "RemainderBackward1",  "HypotBackward0",    "LdexpBackward0",    "FrexpBackward0",
     "CopysignBackward0", "CopysignBackward1",  "NextafterBackward0",  "LerpBackward0",     "LerpBackward1",     "AddcmulBackward0",
     "AddcdivBackward0",  "MaximumBackward0",   "MinimumBackward0",    "FmaxBackward0",     "FminBackward0",     "ClampBackward0",
     "ClampBackward1",    "ClampMinBackward0",  "ClampMinBackward1",   "ClampMaxBackward0", "ClampMaxBackward1", "FloorBackward0",
     "CeilBackward0",     "RoundBackward0",     "RoundBackward1",      "TruncBackward0",    "FracBackward0",     "NanToNumBackward0"},
    element_by_element);

const Registered transcendental = transfers({"ExpBackward0",
                                             "Exp2Backward0",
                                             "Expm1Backward0",
                                             "LogBackward0",
                                             "Log1PBackward0",
                                             "Log2Backward0",
                                             "Log10Backward0",
                                             "SinBackward0",
                                             "CosBackward0",
                                             "TanBackward0",
                                             "SinhBackward0",
                                             "CoshBackward0",
                                             "TanhBackward0",
                                             "AsinBackward0",
                                             "AcosBackward0",
                                             "AtanBackward0",
                                             "Atan2Backward0",
                                             "AsinhBackward0",
                                             "AsinhBackward1",
                                             "AcoshBackward0",
                                             "AcoshBackward1",
                                             "AtanhBackward0",
                                             "AtanhBackward1",
                                             "SincBackward0",
                                             "Deg2RadBackward0",
                                             "Rad2DegBackward0",
                                             "ErfBackward0",
                                             "ErfcBackward0",
                                             "ErfinvBackward0",
                                             "SpecialErfcxBackward0",
                                             "LgammaBackward0",
                                             "DigammaBackward0",
                                             "PolygammaBackward0",
                                             "PolygammaBackward1",
                                             "MvlgammaBackward0",
                                             "XlogyBackward0",
                                             "XlogyBackward1",
                                             "XlogyBackward2",
                                             "SpecialXlog1PyBackward0",
                                             "SpecialXlog1PyBackward1",
                                             "SpecialXlog1PyBackward2",
                                             "SpecialZetaBackward0",
                                             "SpecialZetaBackward1",
                                             "SpecialZetaBackward2",
                                             "LogaddexpBackward0",
                                             "Logaddexp2Backward0",
                                             "LogitBackward0",
                                             "I0Backward0",
                                             "SpecialI0EBackward0",
                                             "SpecialI1Backward0",
                                             "SpecialI1EBackward0",
                                             "SpecialEntrBackward0",
                                             "SpecialNdtriBackward0",
                                             "SpecialLogNdtrBackward0",
                                             "IgammaBackward0",
                                             "IgammacBackward0"},
                                            element_by_element);

const Registered activations =
    transfers({"ReluBackward0",          "LeakyReluBackward0",      "LeakyReluBackward1",      "EluBackward0",
               "EluBackward1",           "CeluBackward0",           "CeluBackward1",           "GeluBackward0",
               "SiluBackward0",          "MishBackward0",           "SigmoidBackward0",        "LogSigmoidBackward0",
               "SoftplusBackward0",      "SoftshrinkBackward0",     "HardshrinkBackward0",     "HardtanhBackward0",
               "HardsigmoidBackward0",   "HardswishBackward0",      "ThresholdBackward0",      "ThresholdBackward1",
               "PreluKernelBackward0",   "RreluWithNoiseBackward0", "RreluWithNoiseBackward1", "RreluWithNoiseFunctionalBackward0",
               "NativeDropoutBackward0", "FusedDropoutBackward0"},
              element_by_element);

const Registered choices = transfers({"WhereBackward0", "MaskedFillBackward0", "MaskedFillBackward1", "TrilBackward0", "TriuBackward0",
                                      "FakeQuantizePerTensorAffineCachemaskBackward0", "FakeQuantizePerChannelAffineCachemaskBackward0"},
                                     element_by_element);

const Registered copies = transfers({"CloneBackward0", "LazyCloneBackward0", "AliasBackward0", "ToCopyBackward0", "LiftBackward0",
                                     "LiftFreshBackward0", "PinMemoryBackward0", "DetachBackward0", "ExpandBackward0"},
                                    element_by_element);

const Registered complex_parts =
    transfers({"ComplexBackward0", "PolarBackward0", "ConjBackward0", "ConjPhysicalBackward0", "ConjPhysicalBackward1", "AngleBackward0"},
              element_by_element);

/// Backward ops of the above, met when a gradient penalty is differentiated again.
const Registered second_order = transfers(
    {"TanhBackwardBackward0", "SigmoidBackwardBackward0", "ThresholdBackwardBackward0", "LeakyReluBackwardBackward0",
     "EluBackwardBackward0", "SoftplusBackwardBackward0", "HardtanhBackwardBackward0", "HardswishBackwardBackward0",
     "SoftshrinkBackwardBackward0", "LogSigmoidBackwardBackward0", "NativeDropoutBackwardBackward0", "RreluWithNoiseBackwardBackward0"},
    element_by_element);

/// An in-place op that overwrites its tensor: nothing flows on to what was there before.
const Registered overwritten =
    transfers({"ZeroBackward0", "NormalBackward0", "UniformBackward0", "BernoulliBackward0", "BernoulliBackward2", "RandomBackward0",
               "RandomBackward1", "RandomBackward2", "ExponentialBackward0", "CauchyBackward0", "GeometricBackward0", "LogNormalBackward0"},
              [](Transfer& t) {
                for (int edge = 0; edge < t.edges(); ++edge) t.set(edge, Ownership::none());
              });

/// y.fill_(v), y.copy_(v): all gradient goes to v.
const Registered replaced =
    transfers({"FillBackward0", "FillBackward1", "FillBackward2", "FillBackward3", "CopyBackwards"}, [](Transfer& t) {
      t.elementwise();
      t.set(0, Ownership::none());
    });

}  // namespace
}  // namespace ghostgrad::graph
