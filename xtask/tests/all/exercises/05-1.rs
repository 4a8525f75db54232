//// solved
fn bars(values: &[(u64, f64)]) -> Result<Drawing> {
    let header = ["hold, ns", "% waiting"].map(String::from).to_vec();
    let rows = values.iter().map(|(hold, percent)| vec![hold.to_string(), percent.to_string()]).collect();
    let data = Table { title: "How much do threads wait?".into(), header, rows };
    Drawing::by_plotters(&data, &caption![], |area| {
        let most = values.len() as f64;
        let mut chart = ChartBuilder::on(area).set_left_and_bottom_label_area_size(120)
            .build_cartesian_2d(0.0..most.max(1.0), 0.0..100.0)?;
        chart.configure_mesh().disable_x_mesh().label_style(("sans-serif", 44)).draw()?;
        let bars = values.iter().enumerate().map(|(place, (_, percent))| {
            let from = place as f64 + 0.2;
            Rectangle::new([(from, 0.0), (from + 0.6, *percent)], Family::Lock.colour().filled())
        });
        chart.draw_series(bars)?;
        Ok(())
    })
}
//// wrong: nothing is drawn
fn bars(values: &[(u64, f64)]) -> Result<Drawing> {
    let header = ["hold, ns", "% waiting"].map(String::from).to_vec();
    let rows = values.iter().map(|(hold, percent)| vec![hold.to_string(), percent.to_string()]).collect();
    let data = Table { title: "How much do threads wait?".into(), header, rows };
    Drawing::by_plotters(&data, &caption![], |_| Ok(()))
}
//// wrong: all bars are of one height
fn bars(values: &[(u64, f64)]) -> Result<Drawing> {
    let header = ["hold, ns", "% waiting"].map(String::from).to_vec();
    let rows = values.iter().map(|(hold, percent)| vec![hold.to_string(), percent.to_string()]).collect();
    let data = Table { title: "How much do threads wait?".into(), header, rows };
    Drawing::by_plotters(&data, &caption![], |area| {
        for (place, _) in values.iter().enumerate() {
            let left = 400 * place as i32;
            area.draw(&Rectangle::new([(left, 100), (left + 200, 900)], Family::Lock.colour().filled()))?;
        }
        Ok(())
    })
}
//// wrong: the twin holds no rows
fn bars(values: &[(u64, f64)]) -> Result<Drawing> {
    let header = ["hold, ns", "% waiting"].map(String::from).to_vec();
    let data = Table { title: "How much do threads wait?".into(), header, rows: vec![] };
    Drawing::by_plotters(&data, &caption![], |area| {
        for (place, (_, percent)) in values.iter().enumerate() {
            let (left, high) = (400 * place as i32, 900 - (8.0 * percent) as i32);
            area.draw(&Rectangle::new([(left, high), (left + 200, 900)], Family::Lock.colour().filled()))?;
        }
        Ok(())
    })
}
