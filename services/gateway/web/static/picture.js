// The picture of a topic: pointing at a place or a unit brings out what it is connected with. Without scripts it is the same picture.
for (const picture of document.querySelectorAll(".picture")) {
  const lines = [...picture.querySelectorAll(".line")], spots = [...picture.querySelectorAll(".spot")];
  const bringOut = (number) => {
    const near = new Set([number]);
    for (const line of lines) {
      const ends = line.dataset.ends.split(" "), mine = ends.includes(number);
      line.classList.toggle("far", number !== undefined && !mine);
      if (mine) ends.forEach((end) => near.add(end));
    }
    for (const spot of spots) spot.classList.toggle("far", number !== undefined && !near.has(spot.dataset.number));
  };
  for (const spot of spots) {
    for (const event of ["pointerenter", "focus"]) spot.addEventListener(event, () => bringOut(spot.dataset.number));
    for (const event of ["pointerleave", "blur"]) spot.addEventListener(event, () => bringOut());
  }
}
