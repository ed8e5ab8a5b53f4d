// Two programs over the same columns: dots, and quads with a picture of an atlas.
const PLACE = `
uniform float u_time;
uniform vec2 u_centre;
uniform vec2 u_scale;
uniform mat2 u_turn; // of the map, not of its pictures
uniform int u_pass; // 0 faded units, 1 the others, 2 all
vec4 place(vec2 a, vec2 b, uint state, vec2 corner) {
  bool out_of_pass = u_pass == 0 ? state != 1u : u_pass == 1 ? state < 2u : state == 0u;
  if (out_of_pass) return vec4(2.0, 2.0, 2.0, 1.0);
  return vec4((u_turn * (mix(a, b, u_time) - u_centre) + corner) * u_scale, 0.0, 1.0);
}`;

export const DOTS_VERTEX = `#version 300 es
precision highp float;
precision highp int;
layout(location = 0) in vec2 a_from;
layout(location = 1) in vec2 a_to;
layout(location = 2) in uint a_state;
layout(location = 3) in vec3 a_colour;
uniform float u_size;
uniform vec4 u_accent;
out vec4 v_colour;
out float v_ring;
${PLACE}
void main() {
  gl_Position = place(a_from, a_to, a_state, vec2(0.0));
  gl_PointSize = a_state >= 3u ? max(u_size * 1.6, 7.0) : u_size;
  v_colour = a_state == 1u ? vec4(a_colour, 0.10) : vec4(a_colour, 0.92);
  v_ring = a_state >= 3u ? 1.0 : 0.0;
}`;

export const DOTS_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
in vec4 v_colour;
in float v_ring;
uniform float u_size;
uniform vec4 u_accent;
uniform vec4 u_rim;
out vec4 colour;
void main() {
  if (u_size < 4.0 && v_ring == 0.0) { // too small for an edge
    colour = vec4(v_colour.rgb, 1.0) * v_colour.a;
    return;
  }
  float r = length(gl_PointCoord - 0.5) * 2.0;
  float cover = 1.0 - smoothstep(1.0 - 2.2 / max(u_size, 2.2), 1.0, r);
  float rim = smoothstep(0.55, 0.95, r);
  vec3 body = mix(v_colour.rgb, u_rim.rgb, rim * u_rim.a);
  body = mix(body, u_accent.rgb, v_ring * step(0.62, r));
  float alpha = cover * v_colour.a;
  colour = vec4(body * alpha, alpha);
}`;

export const SPRITES_VERTEX = `#version 300 es
precision highp float;
precision highp int;
layout(location = 0) in vec2 a_from;
layout(location = 1) in vec2 a_to;
layout(location = 2) in uint a_state;
uniform float u_size;
uniform int u_first;
uniform int u_columns;
out vec2 v_at;
flat out vec2 v_cell;
flat out uint v_state;
${PLACE}
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  float grown = a_state == 4u ? 1.18 : 1.0;
  gl_Position = place(a_from, a_to, a_state, (corner - 0.5) * u_size * grown);
  int cell = u_first + gl_InstanceID;
  v_cell = vec2(cell % u_columns, cell / u_columns);
  v_at = corner;
  v_state = a_state;
}`;

export const SPRITES_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
in vec2 v_at;
flat in vec2 v_cell;
flat in uint v_state;
uniform sampler2D u_atlas;
uniform int u_columns;
uniform float u_edge; // half a texel of a cell
uniform float u_alpha;
uniform vec4 u_shade; // colour of the soft shadow, none where alpha is 0
uniform vec4 u_halo; // colour of the thin line around dark cloth, none where alpha is 0
uniform vec4 u_accent;
out vec4 colour;
vec4 at(vec2 place) {
  return texture(u_atlas, (v_cell + clamp(place, u_edge, 1.0 - u_edge)) / float(u_columns));
}
void main() {
  vec4 cloth = at(v_at);
  if (u_shade.a > 0.0) {
    float under = at(v_at - vec2(0.0, 0.016)).a * 0.5 + at(v_at - vec2(0.008, 0.03)).a * 0.3 + at(v_at - vec2(-0.008, 0.03)).a * 0.3;
    float shade = u_shade.a * under * (1.0 - cloth.a);
    cloth += vec4(u_shade.rgb * shade, shade);
  }
  if (u_halo.a > 0.0) {
    float dark = 0.0;
    float reach = min(0.018, 1.5 * abs(dFdx(v_at.x))); // a pixel and a half, from near as from afar
    for (int i = 0; i < 6; i++) {
      float angle = float(i) * 1.0471976;
      vec4 near = at(v_at + reach * vec2(cos(angle), sin(angle)));
      dark = max(dark, near.a - 3.0 * dot(near.rgb, vec3(0.3, 0.59, 0.11)));
    }
    float line = u_halo.a * dark * (1.0 - cloth.a);
    cloth += vec4(u_halo.rgb * line, line);
  }
  if (v_state >= 3u) {
    float step = v_state == 4u ? 0.024 : 0.018;
    float around = 0.0;
    for (int i = 0; i < 8; i++) {
      float angle = float(i) * 0.7853982;
      around = max(around, at(v_at + step * vec2(cos(angle), sin(angle))).a);
    }
    float line = around * (1.0 - cloth.a);
    cloth = mix(cloth, vec4(u_accent.rgb, 1.0), line);
  }
  float shown = v_state == 1u ? 0.09 : 1.0;
  colour = cloth * shown * u_alpha;
}`;
