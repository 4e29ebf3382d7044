// SPDX-License-Identifier: Apache-2.0
// Rounded normals by mpmath with 120 digits; written by golden.py, do not edit.
#pragma once

#include <cstdint>

#include "ghostgrad/noise/box_muller.h"

namespace ghostgrad::noise {

struct Golden {
  double deviation;
  uint64_t u, v;
  FurtherBits further;
  int64_t n0, n1;
};

// clang-format off
constexpr Golden kGolden[] = {
    {0x1.0624dd2f1a9fcp-10, 0x1e2feb89414c343cU, 0x78e510617311d8a3U, {0x1027c4d1c386bbc4U, 0xcd613e30d8f16adfU, 0x91b7584a2265b1f5U, 0xc2ce6f447ed4d57bU}, 0, 0},  // any bits
    {0x1.6666666666666p-1, 0xe4b06ce60741c7a8U, 0x9b810e766ec9d286U, {0x7ce42c8218072e8cU, 0x35bf992dc9e9c616U, 0x612e7696a6cecc1bU, 0x63ca828dd5f4b3b2U}, 0, 0},  // any bits
    {0x1.0000000000000p+0, 0xcd447e35b8b6d8feU, 0x1a2b8f1ff1fd42a2U, {0x442e3d437204e52dU, 0xb2221a58008a05a6U, 0xc4647159c324c985U, 0x9755d4c13a902931U}, 1, 0},  // any bits
    {0x1.7700000000000p+11, 0x025b413f8a9a021eU, 0xafbd67f9619699cfU, {0xa648a7dd06839eb9U, 0x05b6e6e307d4bedcU, 0x51431193e6c3f339U, 0xe1988ad9f06c144aU}, -3569, -8464},  // any bits
    {0x1.5eb851eb851ecp+24, 0xc381e88f38c0c8fdU, 0x8d88348a7eed8d14U, {0x8712b8bc076f3787U, 0xb9d179e06c0fd4f5U, 0xf8130c4237730edfU, 0xf06d3fef701966a0U}, -15954808, -5502855},  // any bits
    {0x1.5eb851eb851ecp+24, 0xf3c64af775a89294U, 0x6a8ac4ba05805975U, {0xc2cd789a380208a9U, 0xad45f23d3b1a11dfU, 0x587fd2803bab6c39U, 0xed2f89d94a2f20aaU}, -6216124, 3614273},  // any bits
    {0x1.5eb851eb851ecp+24, 0xa11d459a2f978d87U, 0x4be03db0dc2574bdU, {0x19999e3fa46d6753U, 0xec148cb48e73ca47U, 0xea90a8f0d66b829eU, 0xb94067edfe175330U}, -6356475, 21186507},  // any bits
    {0x1.5eb851eb851ecp+24, 0x803468b6b610a9f7U, 0x81f9c1f66c0f3459U, {0xf9270f4eb8b333a8U, 0xe5446dd4552b82f6U, 0xbe3edc0a1ef2a4f0U, 0xf79b17aeefba91fcU}, -26999530, -1310205},  // any bits
    {0x1.e666666666666p+28, 0xf9341c68966baea1U, 0xf0dfb4a5d8a064dfU, {0x48beab134da98f1dU, 0x3099fdf5ab99254aU, 0xe901e35cd47d380dU, 0x7fd63116e1ea24c4U}, 110255782, -42922986},  // any bits
    {0x1.0000000000000p+40, 0xbe6521cc3e2434e3U, 0xaa2ca1af6a107b75U, {0x7af027bc08d6af57U, 0xda71144896c8da19U, 0x64b2d2bc815a47c5U, 0x677f6cbdcc22af58U}, -431867992204, -727570403730},  // any bits
    {0x1.5eb851eb851ecp+24, 0x00003fffffffffffU, 0x1622bd795fec898fU, {0xc69d4bd8b3fa7aa7U, 0xe1fab9d78c7e134fU, 0x5dfbd3d12c4a3698U, 0xbcfbb050acab1a6bU}, 98284282, 59355178},  // at the ends of the float64 range
    {0x1.5eb851eb851ecp+24, 0x0000400000000000U, 0x5eda92d864ac5db9U, {0x29e821a4c74803e3U, 0x1ba1621582283d15U, 0xa9ec0806705fca16U, 0xd707107e855c3844U}, -78871769, 83439087},  // at the ends of the float64 range
    {0x1.5eb851eb851ecp+24, 0x0000000000100000U, 0x9d643c25fbb230bbU, {0x4efbc8d60b21fbacU, 0x78255d6807923986U, 0xbb968a437d5c8dfcU, 0xd92a4aa2b410d93cU}, -134795355, -118553470},  // at the ends of the float64 range
    {0x1.5eb851eb851ecp+24, 0x0000000000000001U, 0x0326324dfb695ffbU, {0x2b28fef02b9c014eU, 0xa5ac06d864c2f2e3U, 0x9403560d97dae38dU, 0x3a1890c78092b4d4U}, 215474367, 16687932},  // at the ends of the float64 range
    {0x1.5eb851eb851ecp+24, 0x0000000000000000U, 0x5804f92283868a29U, {0x8c5fe8f8dc3bf364U, 0xeb8ac8ce8a245e6bU, 0x33138131c541013dU, 0x678a5aa33b6fe507U}, -121179274, 181170542},  // at the ends of the float64 range
    {0x1.5eb851eb851ecp+24, 0xfffffffbfffffffeU, 0x9be3cecb8c497c68U, {0xe8e5b4617589a82bU, 0x5a702cfa93ea5c4eU, 0xd8f33418f3d4e711U, 0xa8c24d4244ef7febU}, -769, -627},  // at the ends of the float64 range
    {0x1.5eb851eb851ecp+24, 0xfffffffbffffffffU, 0xf03edca7e2dcaa37U, {0xdb610487c89da11bU, 0x62397bc701762741U, 0xbab9f87ff5059285U, 0xf463b337d20b5d59U}, 919, -374},  // at the ends of the float64 range
    {0x1.5eb851eb851ecp+24, 0xfffffffffff00000U, 0xf320cd576d14475bU, {0xc703806984c81999U, 0x21167d8fcf23cae8U, 0x83333218bd91a1b7U, 0x349aae908fb5262cU}, 7, -2},  // at the ends of the float64 range
    {0x1.5eb851eb851ecp+24, 0xffffffffffffffffU, 0x69d495dd81355c53U, {0x8ded3c9691eb79faU, 0x5d5f576cdeb8fc4cU, 0x7b297d0b0e5e18baU, 0xf0e642f43328ad08U}, 0, 0},  // at the ends of the float64 range
    {0x1.5eb851eb851ecp+24, 0x0000000000000000U, 0x6a17b9af5b569643U, {0x0000000000000000U, 0x0000000000000000U, 0x0000000000000000U, 0xd037cdff7c240d49U}, -372627777, 222193968},  // the first and the last u
    {0x1.5eb851eb851ecp+24, 0x0000000000000000U, 0x8a449ebe89d9bf02U, {0x0000000000000000U, 0x0000000000000000U, 0x0000000000000001U, 0x0067dba858989008U}, -418843199, -107848042},  // the first and the last u
    {0x1.5eb851eb851ecp+24, 0xffffffffffffffffU, 0x54c56c9a9cc9af4eU, {0xffffffffffffffffU, 0xffffffffffffffffU, 0xffffffffffffffffU, 0xc9546b439f9d0129U}, 0, 0},  // the first and the last u
    {0x1.5eb851eb851ecp+24, 0xffffffffffffffffU, 0xcdf8440407295e42U, {0xffffffffffffffffU, 0xffffffffffffffffU, 0xfffffffffffffffeU, 0x99901c0475491bc3U}, 0, 0},  // the first and the last u
    {0x1.5eb851eb851ecp+24, 0x1773308cdc6b13abU, 0x0000000000000000U, {0x2e47dc0e959f3a51U, 0x8cfe5cd12d5db79bU, 0xa2a7ae1f3ac7652cU, 0x0000000000000000U}, 50255368, 0},  // an eighth of a turn, times 0
    {0x1.5eb851eb851ecp+24, 0x084f3dd6415af341U, 0xffffffffffffffffU, {0xee52bdb6d1020a15U, 0xd9ed17e3cc0e95eeU, 0x8d103ed3cc667e97U, 0xffffffffffffffffU}, 60181294, 0},  // a little less
    {0x1.5eb851eb851ecp+24, 0x73f7ba8e0445d656U, 0x2000000000000000U, {0xde3a5db5154ed512U, 0x12093d26ac512b01U, 0xf18dd1eed77c96c0U, 0x0000000000000000U}, 20453435, 20453435},  // an eighth of a turn, times 1
    {0x1.5eb851eb851ecp+24, 0xcc1b0c3e1c07724eU, 0x1fffffffffffffffU, {0x44c5b4763fe31d03U, 0x47fc816ac16e2284U, 0xc10faa4003ba33dbU, 0xffffffffffffffffU}, 10939881, 10939881},  // a little less
    {0x1.5eb851eb851ecp+24, 0x4155d7ef28dd37ebU, 0x4000000000000000U, {0x2adf559a11cbc288U, 0x4a5012dc582c18c9U, 0x2f429ce59ff3078fU, 0x0000000000000000U}, 0, 37986065},  // an eighth of a turn, times 2
    {0x1.5eb851eb851ecp+24, 0x4b63e0efb62ac1feU, 0x3fffffffffffffffU, {0xa5f09e6345ddb87dU, 0xa81aa40a2b0b8c12U, 0xf3b37f32870266c4U, 0xffffffffffffffffU}, 0, 35940163},  // a little less
    {0x1.5eb851eb851ecp+24, 0x4fdf8e1a060cea63U, 0x6000000000000000U, {0x1d3b993f79490eabU, 0x7f1a355e526eb523U, 0xb3df44a47467537aU, 0x0000000000000000U}, -24805859, 24805859},  // an eighth of a turn, times 3
    {0x1.5eb851eb851ecp+24, 0x40e2a20a1bd7ce73U, 0x5fffffffffffffffU, {0x4227de213023580cU, 0xcbd3f5e06bc15385U, 0x57e54acc62f5680cU, 0xffffffffffffffffU}, -26928093, 26928093},  // a little less
    {0x1.5eb851eb851ecp+24, 0x6e80fa489b0bca16U, 0x8000000000000000U, {0xf72f2bb83586fca7U, 0xfa0b85188296f5eaU, 0xbaeb41a5e65a8149U, 0x0000000000000000U}, -29793946, 0},  // an eighth of a turn, times 4
    {0x1.5eb851eb851ecp+24, 0x090b20bb257e8454U, 0x7fffffffffffffffU, {0x65b675cd0492c4f5U, 0x39b21c95055455e8U, 0xf9bddea5d12982e4U, 0xffffffffffffffffU}, -59433649, 0},  // a little less
    {0x1.5eb851eb851ecp+24, 0x6d39eb43ad9ceddeU, 0xa000000000000000U, {0x819d7ca7b46108ccU, 0x721754ef2904acecU, 0xf5bb9188b80599e9U, 0x0000000000000000U}, -21212804, -21212804},  // an eighth of a turn, times 5
    {0x1.5eb851eb851ecp+24, 0xb1eedaffcc3d5506U, 0x9fffffffffffffffU, {0xa17a4340f9c08fefU, 0xfa1b1bf13879399bU, 0xd50e00978b7199cdU, 0xffffffffffffffffU}, -13862898, -13862898},  // a little less
    {0x1.5eb851eb851ecp+24, 0xacc66a576518093dU, 0xc000000000000000U, {0x07dbf924a6048457U, 0x861e02ec39235bc0U, 0x736a947a843fdda7U, 0x0000000000000000U}, 0, -20382385},  // an eighth of a turn, times 6
    {0x1.5eb851eb851ecp+24, 0xbcc99ae80f0c8a89U, 0xbfffffffffffffffU, {0x6d21f4cda185cc8eU, 0xa8ea37f7523d2a54U, 0xcdaaac43936aa40cU, 0xffffffffffffffffU}, 0, -17938600},  // a little less
    {0x1.5eb851eb851ecp+24, 0x121b28004e6f5a94U, 0xe000000000000000U, {0x0c250a03e023033dU, 0x364e433ff7c882f4U, 0x202cc8284c717095U, 0x0000000000000000U}, 37408964, -37408964},  // an eighth of a turn, times 7
    {0x1.5eb851eb851ecp+24, 0x28804790be6c6fe9U, 0xdfffffffffffffffU, {0x4c41d9c0f07534feU, 0xeacc110e4f73fd94U, 0x1391f9b9dbc799b0U, 0xffffffffffffffffU}, 31210669, -31210669},  // a little less
    {0x1.5eb851eb851ecp+24, 0xd9bc1d97e0f3a7efU, 0x3e047e6085413f7cU, {0x8f8b2b83022bc320U, 0x21615022409a8a78U, 0x909ff4976a8a43efU, 0x9f4289721b3b9a22U}, 636134, 13063632},  // just above a half-integer
    {0x1.5eb851eb851ecp+24, 0xd9bc1d97e0f3a7efU, 0x3e047e6085413f7cU, {0x8f8b2b83022bc320U, 0x21615022409a8a78U, 0x909ff4976a8a43efU, 0x9f4289721b3b9a23U}, 636133, 13063632},  // just below it
    {0x1.5eb851eb851ecp+24, 0x2be88b4675fa6dd8U, 0x0a3c13ce54210916U, {0x91fde85ce69bae29U, 0xf652d00837b4000bU, 0xd1c51f86973082d6U, 0x69115d08bfd5f66cU}, 41806327, 10728219},  // just above a half-integer
    {0x1.5eb851eb851ecp+24, 0x2be88b4675fa6dd8U, 0x0a3c13ce54210916U, {0x91fde85ce69bae29U, 0xf652d00837b4000bU, 0xd1c51f86973082d6U, 0x69115d08bfd5f66dU}, 41806326, 10728219},  // just below it
    {0x1.5eb851eb851ecp+24, 0x92c9357d34accd78U, 0x0efc5cd5fca7a97aU, {0x1959b9ef58d07674U, 0x334de73d60c290d0U, 0x0994940e82458cc8U, 0x97b412fa4c8135aeU}, 22620822, 8716753},  // just above a half-integer
    {0x1.5eb851eb851ecp+24, 0x92c9357d34accd78U, 0x0efc5cd5fca7a97aU, {0x1959b9ef58d07674U, 0x334de73d60c290d0U, 0x0994940e82458cc8U, 0x97b412fa4c8135afU}, 22620821, 8716753},  // just below it
    {0x1.5eb851eb851ecp+24, 0xaa7c314bf01dbf29U, 0x2426d741e98a16a6U, {0x1abb8ba37e0ab2edU, 0x31b1c27e976699ccU, 0x6ed5d1bfe585552fU, 0x97fa47805724b62fU}, 13088260, 16069745},  // just above a half-integer
    {0x1.5eb851eb851ecp+24, 0xaa7c314bf01dbf29U, 0x2426d741e98a16a6U, {0x1abb8ba37e0ab2edU, 0x31b1c27e976699ccU, 0x6ed5d1bfe585552fU, 0x97fa47805724b630U}, 13088259, 16069745},  // just below it
    {0x1.5eb851eb851ecp+24, 0x66fec086df229650U, 0x09701a7810d0ed11U, {0x9cb471a55349da48U, 0x04673b757ff2e341U, 0x810d2e304bcb6b22U, 0xbdf59caf590d7ba6U}, 30188194, 7120640},  // just above a half-integer
    {0x1.5eb851eb851ecp+24, 0x66fec086df229650U, 0x09701a7810d0ed11U, {0x9cb471a55349da48U, 0x04673b757ff2e341U, 0x810d2e304bcb6b22U, 0xbdf59caf590d7ba7U}, 30188193, 7120640},  // just below it
    {0x1.5eb851eb851ecp+24, 0xfcaf4a5acfa6cf3eU, 0x23e11698c6cf2281U, {0x53e6d093db87872dU, 0x336b1a45282ee0bcU, 0x04a1bde44806aa81U, 0xf316416c0f8959caU}, 2362822, 2861769},  // just above a half-integer
    {0x1.5eb851eb851ecp+24, 0xfcaf4a5acfa6cf3eU, 0x23e11698c6cf2281U, {0x53e6d093db87872dU, 0x336b1a45282ee0bcU, 0x04a1bde44806aa81U, 0xf316416c0f8959cbU}, 2362821, 2861769},  // just below it
    {0x1.5eb851eb851ecp+24, 0x18ae013eaca91679U, 0x2a1a94be73b44fa8U, {0x443baac536891eebU, 0x6de2b33b56cef8ecU, 0x2298bdb1c85f0d46U, 0x8c1e8761585bec92U}, 25449944, 42707105},  // just above a half-integer
    {0x1.5eb851eb851ecp+24, 0x18ae013eaca91679U, 0x2a1a94be73b44fa8U, {0x443baac536891eebU, 0x6de2b33b56cef8ecU, 0x2298bdb1c85f0d46U, 0x8c1e8761585bec93U}, 25449943, 42707105},  // just below it
    {0x1.5eb851eb851ecp+24, 0x88c9da8aafe673f6U, 0x2423aa05296fddf6U, {0xd6730839e1e48557U, 0xea190b2a58068a9dU, 0x8c31406deea3d685U, 0xfba2b9f806cace4dU}, 16257080, 19948007},  // just above a half-integer
    {0x1.5eb851eb851ecp+24, 0x88c9da8aafe673f6U, 0x2423aa05296fddf6U, {0xd6730839e1e48557U, 0xea190b2a58068a9dU, 0x8c31406deea3d685U, 0xfba2b9f806cace4eU}, 16257079, 19948007},  // just below it
};
// clang-format on

}  // namespace ghostgrad::noise
