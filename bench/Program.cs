using Gateway.Bench;

Console.WriteLine("Ratios within one run; absolute figures mean nothing elsewhere.");
await NodeList.MeasureAsync();
