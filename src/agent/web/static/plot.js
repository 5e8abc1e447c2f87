// A plot of one hour, a bar a minute: an inline SVG of attributes and classes alone, since the page allows no styles in it.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 4; // of a minute, and its gap
const HEIGHT = 48;

/** Bars for the values of the last minutes; of a minute whose value is null nobody knows. `name` says what is counted. */
export function plot(name, values) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(0, ...known);
  const svg = made("svg", {
    class: "plot", role: "img", viewBox: `0 0 ${values.length * WIDTH} ${HEIGHT + 1}`, preserveAspectRatio: "none",
    "aria-label": known.length ? `${name}: now ${values.at(-1) ?? "not known"}, at most ${most} in a minute` : `${name}: nothing is known yet`,
  });
  values.forEach((value, minute) => {
    const height = value === null ? HEIGHT : most && (value / most) * HEIGHT;
    if (height) {
      const bar = { class: value === null ? "gap" : "bar", x: minute * WIDTH, width: WIDTH - 1, height: height.toFixed(1), y: (HEIGHT - height).toFixed(1) };
      svg.append(made("rect", bar));
    }
  });
  svg.append(made("rect", { class: "ground", x: 0, y: HEIGHT, width: values.length * WIDTH, height: 1 }));
  return svg;
}

function made(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
