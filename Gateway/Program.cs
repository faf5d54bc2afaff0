using Gateway;

var files = ConfigurationFiles.Find(args.FirstOrDefault(), null, out var complaint);
var (configuration, problems, _) = files!.Load();
foreach (var p in problems.Errors.Concat(problems.Warnings)) { Console.WriteLine(p); }
if (configuration is null) { return 1; }
await App.Build(configuration, files).RunAsync();
return 0;
